"""Routes of what a user has read."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import OWN_OR_ADMINISTRATOR, UserNotFound

from .. import queries, schemas, services
from ..guards import CONTENT_OF_SPACE, SPACE_OF_USER

BASE = "/api/users/{user_id:int}/workspaces/{workspace_id}"
WHO = (OWN_OR_ADMINISTRATOR, SPACE_OF_USER)
LIMIT = 10_000


def read_status(ctx: Context, call: Call) -> Any:
    """Return what a user has read of some contents, or of the whole space."""
    ids = call.query["content_ids"]
    space_id, user_id = ctx.resources["space_id"], ctx.resources["user"].user_id
    if ids and len(ids) > LIMIT:
        raise ValidationFailed({"content_ids": [f"At most {LIMIT} ids."]})
    if ids:
        return schemas.read_rows(queries.read_flags(ctx, space_id, user_id, ids))
    return schemas.read_rows(queries.read_flags_of_space(ctx, space_id, user_id))


def mark_read(ctx: Context, call: Call) -> None:
    """Mark a content and what is below it as read."""
    services.mark_content(ctx, ctx.resources["user"].user_id, ctx.resources["content"].content_id)


def mark_unread(ctx: Context, call: Call) -> None:
    """Mark a content and what is below it as not read."""
    services.unmark_content(ctx, ctx.resources["user"].user_id, ctx.resources["content"].content_id)


def mark_space_read(ctx: Context, call: Call) -> None:
    """Mark every content of a space as read."""
    services.mark_space(ctx, ctx.resources["user"].user_id, ctx.resources["space_id"])


ROUTES = (
    Route(
        "GET", f"{BASE}/contents/read_status", read_status, WHO, Answer(schemas.read_status, "list"),
        query=schemas.ContentIdsQuerySchema, errors=(UserNotFound,), summary="What a user has read",
        group="Users > Contents",
    ),
    Route(
        "PUT", f"{BASE}/contents/{{content_id}}/read", mark_read, (*WHO, CONTENT_OF_SPACE), EMPTY,
        errors=(UserNotFound,), summary="Mark a content as read", group="Users > Contents",
    ),
    Route(
        "PUT", f"{BASE}/contents/{{content_id}}/unread", mark_unread, (*WHO, CONTENT_OF_SPACE), EMPTY,
        errors=(UserNotFound,), summary="Mark a content as not read", group="Users > Contents",
    ),
    Route(
        "PUT", f"{BASE}/read", mark_space_read, WHO, EMPTY, errors=(UserNotFound,),
        summary="Mark a space as read", group="Users > Contents",
    ),
)  # fmt: skip
