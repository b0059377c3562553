"""Routes of requests to become a member."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR

from .. import queries, schemas, services
from ..api import MODIFY_SPACE, SPACE
from ..errors import (
    RoleAlreadyExists,
    SpaceNotFound,
    SubscriptionNotFound,
    UserDeleted,
    UserNotActive,
    WrongAccessType,
)
from .members import NAMED_USER

MANY = Answer(schemas.subscription, "list")


def list_of_user(ctx: Context, call: Call) -> Any:
    """Return a user's requests, decided ones too."""
    return queries.OF_USER.all(ctx, user_id=int(call.path["user_id"]))


def request(ctx: Context, call: Call) -> tuple[int, int]:
    """Ask for the user of the path to become a member."""
    space_id, user_id = int(call.body["workspace_id"]), int(call.path["user_id"])
    services.request_subscription(ctx, space_id, user_id)
    return space_id, user_id


def load(ctx: Context, ids: tuple[int, int]) -> Any:
    """Return a request that was just written."""
    return queries.subscription(ctx, *ids)


def list_of_space(ctx: Context, call: Call) -> Any:
    """Return the requests for a space."""
    return queries.OF_SPACE.all(ctx, space_id=ctx.resources["space"].space_id)


def accept(ctx: Context, call: Call) -> None:
    """Make who asked a member."""
    services.accept_subscription(
        ctx, ctx.resources["space"].space_id, int(call.path["user_id"]), call.body["role"]
    )  # fmt: skip


def reject(ctx: Context, call: Call) -> None:
    """Refuse who asked."""
    services.reject_subscription(ctx, ctx.resources["space"].space_id, int(call.path["user_id"]))


ROUTES = (
    Route(
        "GET", "/api/users/{user_id:int}/workspace_subscriptions", list_of_user,
        (OWN_OR_ADMINISTRATOR, CANDIDATE), MANY, summary="A user's requests", group="Users > Subscriptions",
    ),
    Route(
        "PUT", "/api/users/{user_id:int}/workspace_subscriptions", request, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.subscription, doc="The request."), body=schemas.SpaceIdSchema, after=load,
        errors=(SpaceNotFound, WrongAccessType, RoleAlreadyExists, UserDeleted, UserNotActive),
        summary="Ask to become a member", group="Users > Subscriptions",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}/subscriptions", list_of_space, (SPACE, MODIFY_SPACE), MANY,
        summary="Requests for a space", group="Workspaces > Subscriptions",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/subscriptions/{user_id}/accept", accept,
        (SPACE, MODIFY_SPACE, NAMED_USER), EMPTY, body=schemas.RoleUpdateSchema,
        errors=(SubscriptionNotFound, RoleAlreadyExists, UserDeleted, UserNotActive),
        summary="Accept a request", group="Workspaces > Subscriptions",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/subscriptions/{user_id}/reject", reject,
        (SPACE, MODIFY_SPACE, NAMED_USER), EMPTY, errors=(SubscriptionNotFound, RoleAlreadyExists),
        summary="Reject a request", group="Workspaces > Subscriptions",
    ),
)  # fmt: skip
