"""Writes of spaces."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.config import HtmlConfig
from atrio.kernel.context import Context
from atrio.kernel.html import clean_html
from atrio.kernel.text import slugify
from atrio.plugins.accounts.api import ADMINISTRATORS, UserNotFound, by_login, get_user, profile_of

from . import queries
from .config import SpacesConfig
from .errors import (
    DisallowedAccessType,
    LastManager,
    RoleAlreadyExists,
    SpaceNotFound,
    TooManySpaces,
    UserDeleted,
    UserNotActive,
    UserRoleNotFound,
)
from .events import MemberAdded, MemberModified, MemberRemoved, SpaceCreated
from .models import Member, Space
from .permissions import LEVELS

MANAGER = LEVELS["workspace-manager"]


def create_space(ctx: Context, values: dict[str, Any]) -> int:
    """Create a space; its creator owns it and becomes workspace-manager. Returns the id."""
    settings = ctx.config[SpacesConfig]
    owner_id = ctx.actor.id
    if values["access_type"] not in settings.allowed_access_types:
        raise DisallowedAccessType
    if settings.per_user and owner_id and queries.OWNED.value(ctx, user_id=owner_id) >= settings.per_user:
        raise TooManySpaces
    parent_id = values.get("parent_id") or None
    if parent_id is not None:
        parent = queries.GUARD.first(ctx, space_id=parent_id, user_id=owner_id or 0)
        if parent is None or (parent.my_role is None and profile_of(ctx) < ADMINISTRATORS):
            raise SpaceNotFound
    row = {
        "label": values["label"], "slug": slugify(values["label"]),
        "description": clean_html(values["description"], ctx.config[HtmlConfig].iframe_hosts),
        "access_type": values["access_type"], "default_role": LEVELS[values["default_user_role"]],
        "created": ctx.now, "owner_id": owner_id, "parent_id": parent_id, "is_deleted": 0,
        "agenda_enabled": int(values["agenda_enabled"]),
        "public_upload_enabled": int(values["public_upload_enabled"]),
        "public_download_enabled": int(values["public_download_enabled"]),
        "publication_enabled": int(values["publication_enabled"] is not False),
    }  # fmt: skip
    space_id = int(ctx.execute(insert(Space).values(**row)).inserted_primary_key[0])  # type: ignore[attr-defined]
    if owner_id is not None:
        _insert_member(ctx, space_id, owner_id, MANAGER, "daily")
    ctx.emit(SpaceCreated(space_id))
    return space_id


def _insert_member(ctx: Context, space_id: int, user_id: int, role: int, notification: str) -> None:
    try:
        ctx.execute(
            insert(Member).values(
                space_id=space_id, user_id=user_id, role=role, email_notification_type=notification,
                created=ctx.now,
            )
        )  # fmt: skip
    except IntegrityError:
        raise RoleAlreadyExists from None
    ctx.emit(MemberAdded(space_id, user_id, role))


def add_member(ctx: Context, space_id: int, values: dict[str, Any]) -> int:
    """Add a member named by id, address or username; returns the user's id."""
    user = None
    if values["user_id"] is not None:
        user = get_user(ctx, values["user_id"])
    elif values["user_email"] is not None:
        user = by_login(ctx, values["user_email"][1])
    elif values["user_username"] is not None:
        user = by_login(ctx, values["user_username"])
    if user is None:
        raise UserNotFound
    if user.is_deleted:
        raise UserDeleted
    if not user.is_active:
        raise UserNotActive
    if queries.ROLE.value(ctx, space_id=space_id, user_id=user.user_id) is not None:
        raise RoleAlreadyExists
    notification = ctx.config[SpacesConfig].notification_on_invitation
    _insert_member(ctx, space_id, user.user_id, LEVELS[values["role"]], notification)
    return int(user.user_id)


def change_role(ctx: Context, space_id: int, user_id: int, role: str) -> None:
    """Give a member another role; the last workspace-manager keeps it."""
    current = queries.ROLE.value(ctx, space_id=space_id, user_id=user_id)
    if current is None:
        raise UserRoleNotFound
    level = LEVELS[role]
    if level != current:
        _keep_a_manager(ctx, space_id, current)
        ctx.execute(
            update(Member).where(Member.space_id == space_id, Member.user_id == user_id).values(role=level)
        )
        ctx.emit(MemberModified(space_id, user_id, level))


def remove_member(ctx: Context, space_id: int, user_id: int) -> None:
    """Remove a member, or let him leave; the last workspace-manager stays."""
    current = queries.ROLE.value(ctx, space_id=space_id, user_id=user_id)
    if current is None:
        raise UserRoleNotFound
    _keep_a_manager(ctx, space_id, current)
    ctx.execute(delete(Member).where(Member.space_id == space_id, Member.user_id == user_id))
    ctx.emit(MemberRemoved(space_id, user_id))


def _keep_a_manager(ctx: Context, space_id: int, current: int) -> None:
    if current != MANAGER:
        return
    # The space's row is locked first, so that two managers cannot leave at the same moment.
    ctx.execute(select(Space.space_id).where(Space.space_id == space_id).with_for_update())
    if queries.MANAGERS.value(ctx, space_id=space_id, role=MANAGER) <= 1:
        raise LastManager
