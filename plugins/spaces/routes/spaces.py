"""Routes of spaces themselves."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import ADMINISTRATOR, CANDIDATE, OWN_OR_ADMINISTRATOR, USER

from .. import queries, schemas, services
from ..api import CREATE_SPACE, DELETE_SPACE, MODIFY_SPACE, SEE_SPACE, SPACE
from ..config import SpacesConfig
from ..errors import (
    DisallowedAccessType,
    RoleAlreadyExists,
    SpaceNotFound,
    TooManySpaces,
    UserDeleted,
    UserNotActive,
)

ONE = Answer(schemas.space, doc="The space.")
MANY = Answer(schemas.space, "list")


def list_all(ctx: Context, call: Call) -> Any:
    """Return every space."""
    return queries.all_spaces(ctx, call.query["parent_ids"])


def create(ctx: Context, call: Call) -> int:
    """Create a space."""
    return services.create_space(ctx, call.body)


def load(ctx: Context, space_id: int) -> Any:
    """Return a space that was just written."""
    return queries.left(ctx, space_id)


def get(ctx: Context, call: Call) -> Any:
    """Return one space."""
    return queries.one(ctx, ctx.resources["space"].space_id)


def modify(ctx: Context, call: Call) -> int:
    """Change a space."""
    space_id = ctx.resources["space"].space_id
    services.modify_space(ctx, space_id, call.body)
    return int(space_id)


def trash(ctx: Context, call: Call) -> None:
    """Put a space into the trash."""
    services.trash_space(ctx, ctx.resources["space"].space_id)


def restore(ctx: Context, call: Call) -> None:
    """Bring a space back."""
    services.restore_space(ctx, ctx.resources["space"].space_id)


def size(ctx: Context, call: Call) -> Any:
    """Return how much a space holds."""
    return queries.space_size(ctx, ctx.resources["space"].space_id)


def size_of_user(ctx: Context, call: Call) -> Any:
    """Return how much the spaces of a user hold."""
    return queries.user_size(ctx, ctx.resources["user"])


def list_of_user(ctx: Context, call: Call) -> Any:
    """Return a user's spaces."""
    return queries.spaces_of(
        ctx, int(call.path["user_id"]), call.query["parent_ids"],
        owned=bool(call.query["show_owned_workspace"]),
        with_role=bool(call.query["show_workspace_with_role"]),
    )  # fmt: skip


def list_accessible(ctx: Context, call: Call) -> Any:
    """Return the spaces that a user may join, or ask to join."""
    return queries.accessible(ctx, int(call.path["user_id"]))


def join(ctx: Context, call: Call) -> int:
    """Make a user a member of an open space."""
    space_id = int(call.body["workspace_id"])
    services.join_space(ctx, space_id, int(call.path["user_id"]))
    return space_id


def list_access_types(ctx: Context, call: Call) -> Any:
    """Return the access types that new spaces may have."""
    return queries.AccessTypes(ctx.config[SpacesConfig].allowed_access_types)


ROUTES = (
    Route(
        "GET", "/api/workspaces", list_all, (ADMINISTRATOR,), MANY, query=schemas.SpaceFilterSchema,
        summary="All spaces", group="Workspaces",
    ),
    Route(
        "POST", "/api/workspaces", create, (CREATE_SPACE,), ONE, body=schemas.SpaceCreationSchema, after=load,
        errors=(DisallowedAccessType, TooManySpaces, SpaceNotFound), summary="Create a space",
        group="Workspaces",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}", get, (SPACE, SEE_SPACE), ONE, summary="One space",
        group="Workspaces",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}", modify, (SPACE, MODIFY_SPACE), ONE,
        body=schemas.SpaceUpdateSchema, after=load, summary="Change a space", group="Workspaces",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}/disk_space", size, (SPACE, SEE_SPACE),
        Answer(schemas.space_size, doc="The sizes in bytes."), summary="How much a space holds",
        group="Workspaces",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/trashed", trash, (SPACE, DELETE_SPACE), EMPTY,
        summary="Trash a space", group="Workspaces > Trash & Restore",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/trashed/restore", restore, (SPACE, DELETE_SPACE), EMPTY,
        summary="Restore a space", group="Workspaces > Trash & Restore",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/workspaces", list_of_user, (OWN_OR_ADMINISTRATOR, CANDIDATE), MANY,
        query=schemas.UserSpaceFilterSchema, summary="A user's spaces", group="Users > Contents",
    ),
    Route(
        "POST", "/api/users/{user_id:int}/workspaces", join, (OWN_OR_ADMINISTRATOR, CANDIDATE), ONE,
        body=schemas.SpaceIdSchema, after=load,
        errors=(SpaceNotFound, RoleAlreadyExists, UserDeleted, UserNotActive), summary="Join an open space",
        group="Users > Contents",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/accessible_workspaces", list_accessible,
        (OWN_OR_ADMINISTRATOR, CANDIDATE), MANY, summary="Spaces a user may join or ask to join",
        group="Users > User Configuration",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/disk_space", size_of_user, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.user_size, doc="The sizes in bytes."), summary="How much a user's spaces hold",
        group="Users",
    ),
    Route(
        "GET", "/api/system/workspace_access_types", list_access_types, (USER,),
        Answer(schemas.access_types, doc="The access types."), summary="Access types on offer",
        group="System",
    ),
)  # fmt: skip
