"""Guards of reaction routes."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import Call
from atrio.plugins.spaces.api import CONTRIBUTOR, WORKSPACE_MANAGER, InsufficientUserRole

from . import queries
from .errors import InvalidReactionId, ReactionNotFound


def _load(ctx: Context, call: Call) -> None:
    text = call.path.get("reaction_id", "")
    if not (text.isascii() and text.isdigit()):
        raise InvalidReactionId
    content_id = ctx.resources["content"].content_id
    row = queries.ONE.first(ctx, content_id=content_id, reaction_id=int(text)) if len(text) <= 18 else None
    if row is None:
        raise ReactionNotFound
    ctx.resources["reaction"] = row


REACTION = Guard("reaction", _load, (InvalidReactionId, ReactionNotFound))
"""Loads the reaction of the path; comes after the content."""


def _is_author(ctx: Context, call: Call) -> None:
    CONTRIBUTOR.check(ctx, call)
    if ctx.resources["reaction"].author__user_id != ctx.actor.id:
        raise InsufficientUserRole


TAKE_BACK = any_of(
    Guard("contributor and author", _is_author, (InsufficientUserRole,)), WORKSPACE_MANAGER
)  # fmt: skip
"""Lets the author, still a contributor, or a workspace-manager pass; comes after REACTION."""
