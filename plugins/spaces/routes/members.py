"""Routes of members."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR, InvalidUserId, UserNotFound

from .. import queries, schemas, services
from ..api import MODIFY_SPACE, SEE_SPACE, SPACE
from ..errors import (
    InsufficientUserRole,
    LastManager,
    RoleAlreadyExists,
    UserDeleted,
    UserNotActive,
    UserRoleNotFound,
)

MEMBER = Answer(schemas.member, doc="The member.")


def _is_me(ctx: Context, call: Call) -> None:
    if call.path.get("user_id") != str(ctx.actor.id):
        raise InsufficientUserRole


LEAVE = any_of(MODIFY_SPACE, Guard("leaving oneself", _is_me, (InsufficientUserRole,)))


def _user_id(ctx: Context, call: Call) -> None:
    text = call.path.get("user_id", "")
    if not (text.isascii() and text.isdigit()):
        raise InvalidUserId
    if len(text) > 18:
        raise UserRoleNotFound


NAMED_USER = Guard("user id", _user_id, (InvalidUserId, UserRoleNotFound))
"""Checks that the user id of the path is one; comes after the rights."""


def list_members(ctx: Context, call: Call) -> Any:
    """Return the members."""
    return queries.members(ctx, ctx.resources["space"].space_id, disabled=bool(call.query["show_disabled_user"]))


def get_member(ctx: Context, call: Call) -> Any:
    """Return one member."""
    found = queries.members(ctx, ctx.resources["space"].space_id, disabled=True, only=int(call.path["user_id"]))
    if not found:
        raise UserRoleNotFound
    return found[0]


def add_member(ctx: Context, call: Call) -> tuple[int, int, bool]:
    """Add a member."""
    space_id = ctx.resources["space"].space_id
    return space_id, *services.add_member(ctx, space_id, call.body)


def change_role(ctx: Context, call: Call) -> tuple[int, int, bool]:
    """Change a member's role."""
    space_id, user_id = ctx.resources["space"].space_id, int(call.path["user_id"])
    services.change_role(ctx, space_id, user_id, call.body["role"])
    return space_id, user_id, False


def load_member(ctx: Context, written: tuple[int, int, bool]) -> Any:
    """Return a member that was just written."""
    space_id, user_id, newly_created = written
    return queries.members(ctx, space_id, disabled=True, only=user_id, newly_created=newly_created)[0]


def remove_member(ctx: Context, call: Call) -> None:
    """Remove a member, or leave."""
    services.remove_member(ctx, ctx.resources["space"].space_id, int(call.path["user_id"]))


def list_settings(ctx: Context, call: Call) -> Any:
    """Return a user's memberships."""
    return queries.settings_of(
        ctx, int(call.path["user_id"]), call.query["parent_ids"],
        owned=bool(call.query["show_owned_workspace"]),
        with_role=bool(call.query["show_workspace_with_role"]),
    )  # fmt: skip


def change_notification(ctx: Context, call: Call) -> None:
    """Choose how a member is told of changes."""
    text = call.path["workspace_id"]
    if not (text.isascii() and text.isdigit()):
        raise ValidationFailed({"workspace_id": ["Not a valid integer."]})
    if len(text) > 18:
        raise UserRoleNotFound
    services.change_notification(
        ctx, int(text), int(call.path["user_id"]), call.body["email_notification_type"]
    )  # fmt: skip


ROUTES = (
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
        "GET", "/api/workspaces/{workspace_id}/members/{user_id}", get_member, (SPACE, SEE_SPACE, NAMED_USER),
        MEMBER, errors=(UserRoleNotFound,), summary="One member", group="Workspaces > Members",
    ),
    Route(
        "POST", "/api/workspaces/{workspace_id}/members", add_member, (SPACE, MODIFY_SPACE),
        Answer(schemas.added_member), body=schemas.MemberAdditionSchema, after=load_member,
        errors=(UserNotFound, RoleAlreadyExists, UserDeleted, UserNotActive), summary="Add a member",
        group="Workspaces > Members",
    ),
    Route(
        "PUT", "/api/workspaces/{workspace_id}/members/{user_id}", change_role,
        (SPACE, MODIFY_SPACE, NAMED_USER), MEMBER, body=schemas.RoleUpdateSchema, after=load_member,
        errors=(UserRoleNotFound, LastManager), summary="Change a role", group="Workspaces > Members",
    ),
    Route(
        "DELETE", "/api/workspaces/{workspace_id}/members/{user_id}", remove_member,
        (SPACE, LEAVE, NAMED_USER), EMPTY, errors=(UserRoleNotFound, LastManager),
        summary="Remove a member, or leave", group="Workspaces > Members",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/workspaces/all/settings", list_settings,
        (OWN_OR_ADMINISTRATOR, CANDIDATE), Answer(schemas.member, "list"),
        query=schemas.UserSpaceFilterSchema, summary="A user's memberships", group="Users > Contents",
    ),
    Route(
        "PUT", "/api/users/{user_id:int}/workspaces/{workspace_id}/email_notification_type",
        change_notification, (OWN_OR_ADMINISTRATOR, CANDIDATE), EMPTY, body=schemas.NotificationSchema,
        errors=(UserRoleNotFound,), summary="Choose how a member is told of changes",
        group="Users > Notifications",
    ),
)  # fmt: skip
