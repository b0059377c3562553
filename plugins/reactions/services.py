"""Writes of reactions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.db.constraints import violates
from atrio.kernel.errors import RetryWork, Unauthenticated

from .errors import ReactionAlreadyExists, ReactionNotFound
from .events import ReactionCreated, ReactionDeleted
from .models import REACTION

INSERT = insert(REACTION)


def react(ctx: Context, content: Any, value: str) -> int:
    """Record the actor's reaction to a content and return its id; ReactionAlreadyExists for the same again."""
    user_id = ctx.actor.id
    if user_id is None:
        raise Unauthenticated
    now = ctx.now
    values = {"content_id": content.content_id, "user_id": user_id, "value": value, "created": now}
    try:
        with ctx.savepoint():
            result: Any = ctx.execute(INSERT, values)
    except IntegrityError as error:
        if violates(error, "uq_reactions_reaction_once", ("content_id", "user_id", "value")):
            raise ReactionAlreadyExists from None
        raise RetryWork from None  # the content went away meanwhile
    reaction_id = int(result.inserted_primary_key[0])
    ctx.emit(ReactionCreated(reaction_id, content.content_id, content.workspace_id, user_id, value, now))
    return reaction_id


def take_back(ctx: Context, content: Any, reaction: Any) -> None:
    """Delete a reaction; ReactionNotFound when somebody else was faster."""
    gone: Any = ctx.execute(delete(REACTION).where(REACTION.c.reaction_id == reaction.reaction_id))
    if gone.rowcount != 1:
        raise ReactionNotFound
    ctx.emit(
        ReactionDeleted(
            reaction.reaction_id, content.content_id, content.workspace_id, reaction.author__user_id,
            reaction.value, reaction.created,
        )
    )  # fmt: skip
