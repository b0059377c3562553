"""Changes of contents; each makes one revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.plugins.accounts.api import get_user, lock_allowance
from atrio.plugins.spaces.api import lock_space, owned_space_ids, used_space

from ..config import ContentConfig
from ..errors import (
    FileTooLarge,
    InvalidStatusChange,
    NoFileGiven,
    NotEditable,
    OwnerFull,
    SameValue,
    SpaceFull,
)
from ..media import guess_media
from ..names import split_name, usable
from .revision import clean_text, next_revision


@dataclass(frozen=True)
class StoredBytes:
    """Bytes that are in the store already: those of another content, or that a door has kept aside."""

    digest: str
    size: int
    media: str = ""


def take_bytes(ctx: Context, source: TemporaryBlob | StoredBytes, name: str, media: str) -> dict[str, Any]:
    """Return the columns of a revision that hold these bytes; an upload is put into the store."""
    if isinstance(source, StoredBytes):
        return {"digest": source.digest, "size": source.size, "mimetype": guess_media(name, source.media, b"")}
    return {
        "digest": ctx.kernel.blobs.keep(ctx, source), "size": source.size,
        "mimetype": guess_media(name, media, source.head),
    }  # fmt: skip


def update_content(ctx: Context, row: Any, values: dict[str, Any]) -> int:
    """Change label, text, description or allowed types; 2041 when nothing changes, 2044 when closed."""
    if not row.is_editable:
        raise NotEditable
    changes: dict[str, Any] = {}
    if values.get("label") is not None and values["label"] != row.label:
        changes["label"] = values["label"]
    for key in ("raw_content", "description"):
        if values.get(key) is not None:
            text = clean_text(ctx, row.content_type, values[key])
            ctx.untagged = ctx.untagged or text != values[key]
            if text != getattr(row, key):
                changes[key] = text
    types = values.get("sub_content_types")
    if types is not None and set(types) != set(filter(None, row.sub_content_types.split(","))):
        changes["sub_content_types"] = ",".join(dict.fromkeys(types))
    if not changes:
        raise SameValue
    return next_revision(ctx, row, "edition", **changes)


def rename(ctx: Context, row: Any, label: str, extension: str) -> int | None:
    """Give a content another name; None when it has it already. 2044 when closed, 3002 for a taken one."""
    if not row.is_editable:
        raise NotEditable
    if (label, extension) == (row.label, row.file_extension):
        return None
    return next_revision(ctx, row, "edition", label=label, file_extension=extension)


def set_status(ctx: Context, row: Any, status: str) -> int | None:
    """Open or close a content; works on closed ones, it is the way to reopen. 2004 for the same status."""
    if row.hidden_by is not None:
        raise NotEditable
    if status == row.status:
        if row.content_type in ("folder", "todo"):
            return None
        raise InvalidStatusChange
    return next_revision(ctx, row, "status-update", status=status)


def set_template(ctx: Context, row: Any, flag: bool) -> int | None:
    """Mark a content as a template, or no longer; None when it is so already. 2044 when it is closed."""
    if not row.is_editable:
        raise NotEditable
    if bool(row.is_template) == flag:
        return None
    kind = "mark-as-template" if flag else "unmark-as-template"
    return next_revision(ctx, row, kind, current={"is_template": int(flag)}, is_template=int(flag))


def restore_revision(ctx: Context, row: Any, old: Any) -> int:
    """Bring back label, text, description and bytes of an old revision, as a new one; 2041 if nothing differs."""
    if not row.is_editable:
        raise NotEditable
    names = ("label", "file_extension", "raw_content", "description", "digest", "mimetype")
    changes = {name: getattr(old, name) for name in names if getattr(old, name) != getattr(row, name)}
    if not changes:
        raise SameValue
    if "digest" in changes:
        changes["size"] = old.size
    return next_revision(ctx, row, "revision" if "digest" in changes else "edition", **changes)


def replace_bytes(
    ctx: Context, space: Any, row: Any, *, name: str, blob: TemporaryBlob | StoredBytes | None, media: str
) -> int:  # fmt: skip
    """Give a file new bytes; its name becomes that of the upload."""
    if blob is None or not usable(name):
        raise NoFileGiven
    if not row.is_editable:
        raise NotEditable
    check_quota(ctx, space, blob.size)
    label, extension = split_name(name)
    stored = take_bytes(ctx, blob, name, media)
    return next_revision(ctx, row, "revision", label=label, file_extension=extension, **stored)


def _used(ctx: Context, space_id: int) -> int:
    """Return the bytes that a space holds, those of other plugins (calendars) included."""
    return used_space(ctx, select(literal(space_id)))


def room(ctx: Context, space: Any) -> tuple[int, int | None]:
    """Return how many bytes a space holds and how many more it may; None where nothing limits it."""
    limit = ctx.config[ContentConfig].space_size
    used = _used(ctx, space.space_id)
    left = [limit - used] if limit else []
    allowed = 0 if space.owner_id is None else int(get_user(ctx, space.owner_id).allowed_space)
    if allowed:
        left.append(allowed - used_space(ctx, owned_space_ids(space.owner_id)))
    return used, max(min(left), 0) if left else None


def check_quota(ctx: Context, space: Any, size: int) -> None:
    """Refuse bytes beyond the limits: 6002 one file, 6003 the space, 6004 the space's owner.

    The row whose limit is looked at is locked until the commit, so that two uploads at the same moment are
    counted one after the other.
    """
    settings = ctx.config[ContentConfig]
    if settings.max_file_size and size > settings.max_file_size:
        raise FileTooLarge
    if settings.space_size:
        lock_space(ctx, space.space_id)
        if _used(ctx, space.space_id) + size > settings.space_size:
            raise SpaceFull
    if space.owner_id is not None:
        allowed = lock_allowance(ctx, space.owner_id)
        if allowed and used_space(ctx, owned_space_ids(space.owner_id)) + size > allowed:
            raise OwnerFull
