"""Writes of spaces themselves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from atrio.kernel.config import HtmlConfig
from atrio.kernel.context import Context
from atrio.kernel.html import clean_html
from atrio.kernel.text import slugify
from atrio.plugins.accounts.api import ADMINISTRATORS, lock_user, profile_of

from .. import queries
from ..config import SpacesConfig
from ..errors import DisallowedAccessType, ParentLoop, SpaceNotFound, TooManySpaces
from ..events import SpaceCreated, SpaceModified, SpacePurged, SpaceRestored, SpaceTrashed
from ..models import Space
from ..permissions import LEVELS
from ..schemas import shown_label
from .members import MANAGER, insert_member

FLAGS = ("agenda_enabled", "public_upload_enabled", "public_download_enabled", "publication_enabled")


def create_space(ctx: Context, values: dict[str, Any]) -> int:
    """Create a space; its creator owns it and becomes workspace-manager. Returns the id."""
    settings = ctx.config[SpacesConfig]
    owner_id = ctx.actor.id
    if values["access_type"] not in settings.allowed_access_types:
        raise DisallowedAccessType
    if settings.per_user and owner_id is not None:
        lock_user(ctx, owner_id)  # two creations at the same moment must not both be the last one allowed
        if queries.OWNED.value(ctx, user_id=owner_id) >= settings.per_user:
            raise TooManySpaces
    row = {
        "label": values["label"], "slug": slugify(values["label"]),
        "description": _clean(ctx, values["description"]), "access_type": values["access_type"],
        "default_role": LEVELS[values["default_user_role"]], "created": ctx.now, "owner_id": owner_id,
        "parent_id": _visible_parent(ctx, values.get("parent_id") or None), "is_deleted": 0,
        **{flag: int(values[flag] is not False) for flag in FLAGS},
    }  # fmt: skip
    space_id = int(ctx.execute(insert(Space).values(**row)).inserted_primary_key[0])  # type: ignore[attr-defined]
    if owner_id is not None:
        insert_member(ctx, space_id, owner_id, MANAGER, "daily")
    ctx.emit(SpaceCreated(space_id))
    return space_id


def _clean(ctx: Context, text: str) -> str:
    return clean_html(text, ctx.config[HtmlConfig].iframe_hosts)


def _visible_parent(ctx: Context, parent_id: int | None) -> int | None:
    """Return the parent's id; SpaceNotFound for one that is not there, trashed, or hidden from the caller."""
    if parent_id is None:
        return None
    parent = queries.GUARD.first(ctx, space_id=parent_id, user_id=ctx.actor.id or 0)
    if parent is None or parent.is_deleted or (parent.my_role is None and profile_of(ctx) < ADMINISTRATORS):
        raise SpaceNotFound
    return parent_id


def _state(ctx: Context, space_id: int) -> Any:
    """Return the row of a space, locked until the unit ends; SpaceNotFound when it is gone."""
    queries.lock(ctx, space_id)
    row = queries.STATE.first(ctx, space_id=space_id)
    if row is None:
        raise SpaceNotFound(f"no space has the id {space_id}")
    return row


def modify_space(ctx: Context, space_id: int, values: dict[str, Any]) -> None:
    """Change what `values` names and is not None; nothing changed, nothing told.

    The label that a trashed space shows is taken for its own: forms send back what they were given.
    """
    row = _state(ctx, space_id)
    wanted: dict[str, Any] = {flag: int(values[flag]) for flag in FLAGS if values.get(flag) is not None}
    if values.get("default_user_role") is not None:
        wanted["default_role"] = LEVELS[values["default_user_role"]]
    if values.get("description") is not None:
        wanted["description"] = _clean(ctx, values["description"])
    label = values.get("label")
    if label is not None and label != shown_label(row.label, row.deleted_at):
        wanted |= {"label": label, "slug": slugify(label)}
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changes:
        ctx.execute(update(Space).where(Space.space_id == space_id).values(**changes))
        ctx.emit(SpaceModified(space_id, tuple(changes)))


def trash_space(ctx: Context, space_id: int) -> None:
    """Put a space into the trash; its members and sub-spaces stay as they are. Again: nothing happens."""
    if not _state(ctx, space_id).is_deleted:
        ctx.execute(
            update(Space).where(Space.space_id == space_id).values(is_deleted=1, deleted_at=ctx.now)
        )  # fmt: skip
        ctx.emit(SpaceTrashed(space_id))


def restore_space(ctx: Context, space_id: int) -> None:
    """Bring a space back from the trash under its own label."""
    if _state(ctx, space_id).is_deleted:
        ctx.execute(update(Space).where(Space.space_id == space_id).values(is_deleted=0, deleted_at=None))
        ctx.emit(SpaceRestored(space_id))


def move_space(ctx: Context, space_id: int, parent_id: int | None) -> None:
    """Give a space another parent, None for the top; ParentLoop when that lies below it.

    The rows on the way up are locked, so that two moves at the same moment cannot make a ring.
    """
    if parent_id is not None:
        chain = queries.parent_chain(ctx, parent_id)
        wanted = sorted({space_id, *chain})
        ctx.execute(
            select(Space.space_id).where(Space.space_id.in_(wanted)).order_by(Space.space_id).with_for_update()
        )
        chain = queries.parent_chain(ctx, parent_id)
        if not chain:
            raise SpaceNotFound(f"no space has the id {parent_id}")
        if space_id in chain:
            raise ParentLoop(f"space {parent_id} is space {space_id} or lies below it")
    if _state(ctx, space_id).parent_id != parent_id:
        ctx.execute(update(Space).where(Space.space_id == space_id).values(parent_id=parent_id))
        ctx.emit(SpaceModified(space_id, ("parent_id",)))


def purge_space(ctx: Context, space_id: int) -> None:
    """Delete a space for good: members, requests and contents go with it, sub-spaces go to the top."""
    label = _state(ctx, space_id).label
    ctx.kernel.hooks.hook.empty_space(ctx=ctx, space_id=space_id)
    ctx.execute(delete(Space).where(Space.space_id == space_id))
    ctx.emit(SpacePurged(space_id, label))
