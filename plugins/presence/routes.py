"""Routes of presence: whether a user is online, and hiding."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import (
    ADMINISTRATORS,
    CANDIDATE,
    KNOWS_USER,
    OWN_OR_ADMINISTRATOR,
    profile_of,
)

from . import queries, schemas, services
from .config import PresenceConfig

GROUP = "Users > Presence"
PATH = "/api/users/{user_id:int}/presence"
VIEW = row_type("PresenceView", ("user_id", "status", "hidden", "since"))


def get(ctx: Context, call: Call) -> Any:
    """Return whether a user is online: the truth for himself and administrators, what is shown for others."""
    user_id = int(ctx.resources["user"].user_id)
    trusted = user_id == ctx.actor.id or profile_of(ctx) >= ADMINISTRATORS
    if not trusted and not ctx.config[PresenceConfig].visible:
        return VIEW(user_id, "hidden", None, None)
    hidden = queries.is_hidden(ctx, user_id)
    if not trusted and hidden:
        return VIEW(user_id, "hidden", None, None)
    since = queries.online_since(ctx, user_id)
    status = "offline" if since is None else "online"
    return VIEW(user_id, status, hidden if trusted else None, since)


def put(ctx: Context, call: Call) -> None:
    """Hide a user, or show him again."""
    services.hide(ctx, int(ctx.resources["user"].user_id), hidden=call.body["hidden"])


ROUTES = (
    Route(
        "GET", PATH, get, (KNOWS_USER,), Answer(schemas.presence, doc="The status."),
        summary="Whether a user is online", group=GROUP,
    ),
    Route(
        "PUT", PATH, put, (OWN_OR_ADMINISTRATOR, CANDIDATE), EMPTY, body=schemas.SetPresenceSchema,
        summary="Hide whether a user is online, or show it", group=GROUP,
    ),
)  # fmt: skip
