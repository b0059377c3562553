"""Writes of members."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.db.constraints import violates
from atrio.kernel.errors import KernelError, RetryWork
from atrio.plugins.accounts.api import UserNotFound, by_login, get_user, invite_user, may_invite

from .. import queries
from ..config import SpacesConfig
from ..errors import (
    LastManager,
    RoleAlreadyExists,
    SpaceNotFound,
    UserDeleted,
    UserNotActive,
    UserRoleNotFound,
)
from ..events import MemberAdded, MemberModified, MemberRemoved
from ..models import Member
from ..permissions import LEVELS

MANAGER = LEVELS["workspace-manager"]
EMAIL_TAKEN = 2036


def insert_member(ctx: Context, space_id: int, user_id: int, role: int, notification: str) -> None:
    """Write a member; RoleAlreadyExists when he is one, also when another request was quicker."""
    values = {
        "space_id": space_id, "user_id": user_id, "role": role, "email_notification_type": notification,
        "created": ctx.now,
    }  # fmt: skip
    try:
        with ctx.savepoint():
            ctx.execute(insert(Member).values(**values))
    except IntegrityError as error:
        if violates(error, "pk_spaces_member", ("space_id", "user_id")) or "PRIMARY" in str(error.orig):
            raise RoleAlreadyExists from None
        raise RetryWork from None  # the space or the user went away at this moment
    ctx.emit(MemberAdded(space_id, user_id, role, notification))


def refuse_inactive(user: Any) -> None:
    """Refuse an account that cannot become a member: 2043 when it is deleted, 2042 when it is disabled."""
    if user.is_deleted:
        raise UserDeleted
    if not user.is_active:
        raise UserNotActive


def add_member(ctx: Context, space_id: int, values: dict[str, Any]) -> tuple[int, bool]:
    """Add a member named by id, address or username; returns the user's id and whether the account is new.

    An address that nobody has is invited, if the caller may do that.
    """
    user = None
    if values["user_id"] is not None:
        user = get_user(ctx, values["user_id"])
    elif values["user_email"] is not None:
        user = by_login(ctx, values["user_email"][1])
    elif values["user_username"] is not None:
        user = by_login(ctx, values["user_username"])
    invited = user is None and values["user_id"] is None and values["user_email"] is not None
    if invited:
        user = get_user(ctx, _invite(ctx, *values["user_email"]))
    if user is None:
        raise UserNotFound
    refuse_inactive(user)
    if queries.ROLE.value(ctx, space_id=space_id, user_id=user.user_id) is not None:
        raise RoleAlreadyExists
    notification = ctx.config[SpacesConfig].notification_on_invitation
    insert_member(ctx, space_id, user.user_id, LEVELS[values["role"]], notification)
    return int(user.user_id), invited


def _invite(ctx: Context, name: str, address: str) -> int:
    if not may_invite(ctx):
        raise UserNotFound
    try:
        return invite_user(ctx, address, name or None)
    except KernelError as error:
        if error.code == EMAIL_TAKEN:  # somebody took the address since it was looked up
            raise RetryWork from None
        raise


def join_space(ctx: Context, space_id: int, user_id: int) -> None:
    """Make a user a member of an open space, with its default role; SpaceNotFound for any other."""
    space = queries.GUARD.first(ctx, space_id=space_id, user_id=user_id)
    if space is None or space.is_deleted or space.access_type != "open":
        raise SpaceNotFound
    refuse_inactive(get_user(ctx, user_id))
    if space.my_role is not None:
        raise RoleAlreadyExists
    notification = ctx.config[SpacesConfig].notification_on_invitation
    insert_member(ctx, space_id, user_id, space.default_role, notification)


def change_role(ctx: Context, space_id: int, user_id: int, role: str) -> None:
    """Give a member another role; the last workspace-manager keeps it."""
    current = _locked_role(ctx, space_id, user_id)
    level = LEVELS[role]
    if level != current:
        _keep_a_manager(ctx, space_id, current)
        ctx.execute(
            update(Member).where(Member.space_id == space_id, Member.user_id == user_id).values(role=level)
        )
        ctx.emit(MemberModified(space_id, user_id, level))


def change_notification(ctx: Context, space_id: int, user_id: int, kind: str) -> None:
    """Choose how a member is told of changes; UserRoleNotFound for who is no member."""
    row = queries.SETTINGS.first(ctx, space_id=space_id, user_id=user_id)
    if row is None:
        raise UserRoleNotFound
    if row.email_notification_type != kind:
        ctx.execute(
            update(Member)
            .where(Member.space_id == space_id, Member.user_id == user_id)
            .values(email_notification_type=kind)
        )
        ctx.emit(MemberModified(space_id, user_id, row.role))


def remove_member(ctx: Context, space_id: int, user_id: int) -> None:
    """Remove a member, or let him leave; the last workspace-manager stays."""
    _keep_a_manager(ctx, space_id, _locked_role(ctx, space_id, user_id))
    had = queries.SETTINGS.first(ctx, space_id=space_id, user_id=user_id)
    ctx.execute(delete(Member).where(Member.space_id == space_id, Member.user_id == user_id))
    if had is not None:  # his row is locked: it is there
        ctx.emit(MemberRemoved(space_id, user_id, had.role, had.email_notification_type))


def _locked_role(ctx: Context, space_id: int, user_id: int) -> int:
    """Return a member's role, which stays until the unit ends: the space's row is locked before it is read.

    So two managers cannot leave at the same moment, and nobody is removed twice.
    """
    queries.lock(ctx, space_id)
    current = queries.ROLE.value(ctx, space_id=space_id, user_id=user_id)
    if current is None:
        raise UserRoleNotFound
    return int(current)


def _keep_a_manager(ctx: Context, space_id: int, current: int) -> None:
    if current == MANAGER and queries.MANAGERS.value(ctx, space_id=space_id, role=MANAGER) <= 1:
        raise LastManager
