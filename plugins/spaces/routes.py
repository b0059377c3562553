"""Routes of spaces."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import (
    ADMINISTRATOR,
    CANDIDATE,
    OWN_OR_ADMINISTRATOR,
    UserNotFound,
)

from . import queries, schemas, services
from .api import CREATE_SPACE, MODIFY_SPACE, SEE_SPACE, SPACE
from .errors import (
    DisallowedAccessType,
    InsufficientUserRole,
    LastManager,
    RoleAlreadyExists,
    SpaceNotFound,
    TooManySpaces,
    UserDeleted,
    UserNotActive,
    UserRoleNotFound,
)

ONE = Answer(schemas.space, doc="The space.")
MEMBER = Answer(schemas.member, doc="The member.")


def _is_me(ctx: Context, call: Call) -> None:
    if call.path.get("user_id") != str(ctx.actor.id):
        raise InsufficientUserRole


LEAVE = any_of(MODIFY_SPACE, Guard("leaving oneself", _is_me, (InsufficientUserRole,)))


def list_all(ctx: Context, call: Call) -> Any:
    """Return every space."""
    return queries.all_spaces(ctx, call.query["parent_ids"])


def create(ctx: Context, call: Call) -> int:
    """Create a space."""
    return services.create_space(ctx, call.body)


def load(ctx: Context, space_id: int) -> Any:
    """Return a space that was just written."""
    return queries.one(ctx, space_id)


def get(ctx: Context, call: Call) -> Any:
    """Return one space."""
    return queries.one(ctx, ctx.resources["space"].space_id)


def list_of_user(ctx: Context, call: Call) -> Any:
    """Return a user's spaces."""
    return queries.spaces_of(
        ctx, int(call.path["user_id"]), call.query["parent_ids"],
        owned=bool(call.query["show_owned_workspace"]),
        with_role=bool(call.query["show_workspace_with_role"]),
    )  # fmt: skip


def list_members(ctx: Context, call: Call) -> Any:
    """Return the members."""
    return queries.members(ctx, ctx.resources["space"].space_id, disabled=bool(call.query["show_disabled_user"]))


def get_member(ctx: Context, call: Call) -> Any:
    """Return one member."""
    found = queries.members(ctx, ctx.resources["space"].space_id, disabled=True, only=int(call.path["user_id"]))
    if not found:
        raise UserRoleNotFound
    return found[0]


def add_member(ctx: Context, call: Call) -> tuple[int, int]:
    """Add a member."""
    space_id = ctx.resources["space"].space_id
    return space_id, services.add_member(ctx, space_id, call.body)


def change_role(ctx: Context, call: Call) -> tuple[int, int]:
    """Change a member's role."""
    space_id, user_id = ctx.resources["space"].space_id, int(call.path["user_id"])
    services.change_role(ctx, space_id, user_id, call.body["role"])
    return space_id, user_id


def load_member(ctx: Context, ids: tuple[int, int]) -> Any:
    """Return a member that was just written."""
    return queries.members(ctx, ids[0], disabled=True, only=ids[1])[0]


def remove_member(ctx: Context, call: Call) -> None:
    """Remove a member, or leave."""
    services.remove_member(ctx, ctx.resources["space"].space_id, int(call.path["user_id"]))


ROUTES = (
    Route(
        "GET", "/api/workspaces", list_all, (ADMINISTRATOR,), Answer(schemas.space, "list"),
        query=schemas.SpaceFilterSchema, summary="All spaces", group="Workspaces",
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
        "GET", "/api/users/{user_id:int}/workspaces", list_of_user, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.space, "list"), query=schemas.UserSpaceFilterSchema, summary="A user's spaces",
        group="Users > Contents",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}/members", list_members, (SPACE, SEE_SPACE),
        Answer(schemas.member, "list"), query=schemas.MemberFilterSchema, summary="Members of a space",
        group="Workspaces > Members",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}/role", list_members, (SPACE, SEE_SPACE),
        Answer(schemas.role, "list"), query=schemas.MemberFilterSchema, summary="Members, short",
        group="Workspaces > Members",
    ),
    Route(
        "GET", "/api/workspaces/{workspace_id}/members/{user_id:int}", get_member, (SPACE, SEE_SPACE), MEMBER,
        errors=(UserRoleNotFound,), summary="One member", group="Workspaces > Members",
    ),
    Route(
        "POST", "/api/workspaces/{workspace_id}/members", add_member, (SPACE, MODIFY_SPACE),
        Answer(schemas.added_member), body=schemas.MemberAdditionSchema, after=load_member,
        errors=(UserNotFound, RoleAlreadyExists, UserDeleted, UserNotActive), summary="Add a member",
        group="Workspaces > Members",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/members/{user_id:int}", change_role, (SPACE, MODIFY_SPACE),
        MEMBER, body=schemas.RoleUpdateSchema, after=load_member, errors=(UserRoleNotFound, LastManager),
        summary="Change a role", group="Workspaces > Members",
    ),
    Route(
        "DELETE", "/api/workspaces/{workspace_id}/members/{user_id:int}", remove_member, (SPACE, LEAVE), EMPTY,
        errors=(UserRoleNotFound, LastManager), summary="Remove a member, or leave",
        group="Workspaces > Members",
    ),
)  # fmt: skip
