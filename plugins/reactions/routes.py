"""Routes of reactions."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.core_content.api import CONTENT_EXISTS, CONTENT_GUARD
from atrio.plugins.spaces.api import CONTRIBUTOR, READER, SPACE

from . import queries, schemas, services
from .errors import ReactionAlreadyExists
from .guards import REACTION, TAKE_BACK

GROUP = "Contents > Reactions"
ALL = "/api/workspaces/{workspace_id}/contents/{content_id}/reactions"
EACH = f"{ALL}/{{reaction_id}}"
ONE = Answer(schemas.reaction, doc="The reaction.")


def list_all(ctx: Context, call: Call) -> Any:
    """Return the reactions to a content, oldest first."""
    return queries.OF_CONTENT.all(ctx, content_id=ctx.resources["content"].content_id)


def get(ctx: Context, call: Call) -> Any:
    """Return the reaction that the guard loaded."""
    return ctx.resources["reaction"]


def create(ctx: Context, call: Call) -> int:
    """React to a content, open or closed."""
    return services.react(ctx, ctx.resources["content"], call.body["value"])


def load(ctx: Context, reaction_id: int) -> Any:
    """Return a reaction that was just written."""
    return queries.ONE.first(ctx, content_id=ctx.resources["content"].content_id, reaction_id=reaction_id)


def delete(ctx: Context, call: Call) -> None:
    """Take a reaction back."""
    services.take_back(ctx, ctx.resources["content"], ctx.resources["reaction"])


ROUTES = (
    Route(
        "GET", ALL, list_all, (SPACE, READER, CONTENT_EXISTS), Answer(schemas.reaction, "list"),
        summary="Reactions to a content", group=GROUP,
    ),
    Route(
        "POST", ALL, create, (SPACE, CONTRIBUTOR, CONTENT_GUARD), ONE, body=schemas.SetReactionSchema,
        after=load, errors=(ReactionAlreadyExists,), summary="React to a content", group=GROUP,
    ),
    Route(
        "GET", EACH, get, (SPACE, READER, CONTENT_EXISTS, REACTION), ONE, summary="One reaction", group=GROUP
    ),
    Route(
        "DELETE", EACH, delete, (SPACE, READER, CONTENT_GUARD, REACTION, TAKE_BACK), EMPTY,
        summary="Take a reaction back", group=GROUP,
    ),
)  # fmt: skip
