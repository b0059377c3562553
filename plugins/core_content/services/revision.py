"""One new state of a content: its revision and the row of the current state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.config import HtmlConfig
from atrio.kernel.context import Context
from atrio.kernel.db.constraints import violates
from atrio.kernel.db.statement import Write
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import RetryWork
from atrio.kernel.html import clean_html
from atrio.kernel.text import fold, slugify

from ..errors import NameTaken
from ..events import ContentEvent, ContentModified, ContentMoved
from ..models import CONTENT, READ, REVISION, SORT_KEY
from ..names import filename, name_key

NAME = "uq_core_content_content_name"
NAME_COLUMNS = ("space_id", "parent_key", "namespace", "name_key")


def clean(ctx: Context, text: str) -> str:
    """Return a text without anything that could act in another reader's browser."""
    return clean_html(text, ctx.config[HtmlConfig].iframe_hosts)


def named(label: str, extension: str) -> dict[str, Any]:
    """Return the columns that follow from a name."""
    return {
        "label": label, "file_extension": extension, "filename": filename(label, extension),
        "slug": slugify(label), "name_key": name_key(label, extension), "sort_key": fold(label)[:SORT_KEY],
    }  # fmt: skip


def clean_text(ctx: Context, slug: str, text: str) -> str:
    """Return the text of a content of a type without anything harmful; boards and journals keep their JSON.

    Each string inside the JSON is cleaned by itself: HTML rules would break the quoting around it.
    """
    if slug not in ("kanban", "logbook") or "<" not in text:
        return clean(ctx, text)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return clean(ctx, text)
    cleaned = _clean_strings(ctx, value)
    return text if cleaned == value else msgspec.json.encode(cleaned).decode()


def _clean_strings(ctx: Context, value: Any) -> Any:
    if isinstance(value, str):
        return clean(ctx, value)
    if isinstance(value, list):
        return [_clean_strings(ctx, v) for v in value]
    if isinstance(value, dict):
        return {clean(ctx, k): _clean_strings(ctx, v) for k, v in value.items()}
    return value


# Built once: naming the values at execution costs a tenth of building an insert with them.
INSERT_CONTENT = Write(insert(CONTENT), CONTENT.c.content_id)
INSERT_REVISION = Write(insert(REVISION), REVISION.c.revision_id)
_point = update(CONTENT).where(CONTENT.c.content_id == bindparam("key"))
POINT_TO_REVISION = Write(_point)
MOVE_ON = Write(_point.where(CONTENT.c.version_number == bindparam("seen_version")))


def write_named(ctx: Context, write: Callable[[Context, Mapping[str, Any]], int], values: dict[str, Any]) -> int:
    """Make a write that gives a name; NameTaken when the folder holds it already."""
    try:
        return write(ctx, values)
    except IntegrityError as error:
        if violates(error, NAME, NAME_COLUMNS):
            raise NameTaken from None
        raise


def insert_revision(ctx: Context, content_id: int, values: dict[str, Any]) -> int:
    """Write a revision and return its id; a lost race for the number is tried again."""
    try:
        revision_id = INSERT_REVISION.insert(
            ctx, {"content_id": content_id, "author_id": ctx.actor.id, "created": ctx.now, **values}
        )
    except IntegrityError as error:
        if violates(error, "uq_core_content_revision_number", ("content_id", "version_number")):
            raise RetryWork from None
        raise
    ctx.resources[f"core_content.revision:{revision_id}"] = {"content_id": content_id, **values}
    return revision_id


def name_first_revisions(ctx: Context, copies: Any) -> None:
    """Let contents that were written as a set name their own first revision; `copies` is their condition."""
    own = (
        select(REVISION.c.revision_id)
        .where(REVISION.c.content_id == CONTENT.c.content_id, REVISION.c.version_number == 1)
        .correlate(CONTENT)
        .scalar_subquery()
    )
    ctx.execute(update(CONTENT).where(copies).values(current_revision_id=own))


def next_revision(
    ctx: Context, row: Any, kind: str, *, current: dict[str, Any] | None = None,
    event: type[ContentEvent] = ContentModified, **changes: Any,
) -> int:  # fmt: skip
    """Give a content its next state and return the revision's id.

    `changes` are columns of the revision that differ from the current state, `current` further columns of the
    content's row. The row is moved on only from the version that was read: of two writers at the same moment
    one is tried again. Whoever made the change has read it.
    """
    state = {
        "version_number": row.version_number + 1, "revision_type": kind, "space_id": row.workspace_id,
        "parent_id": row.parent_id, "label": row.label, "file_extension": row.file_extension,
        "status": row.status, "sub_content_types": row.sub_content_types, "is_template": row.is_template,
        "is_archived": int(row.archived_at is not None), "is_deleted": int(row.trashed_at is not None),
        "description": row.description, "raw_content": row.raw_content, "digest": row.digest,
        "size": row.stored_size, "mimetype": row.mimetype, **changes,
    }  # fmt: skip
    revision_id = insert_revision(ctx, row.content_id, state)
    values: dict[str, Any] = {
        "current_revision_id": revision_id, "current_revision_type": kind,
        "version_number": row.version_number + 1, "modified": ctx.now, "last_modifier_id": ctx.actor.id,
        "status": state["status"], "sub_content_types": state["sub_content_types"],
    }  # fmt: skip
    if (state["label"], state["file_extension"]) != (row.label, row.file_extension):
        values |= named(state["label"], state["file_extension"])
        if row.name_key is None:
            values["name_key"] = None
    values |= current or {}
    named_by = {"key": row.content_id, "seen_version": row.version_number, **values}
    if write_named(ctx, MOVE_ON.run, named_by) != 1:
        raise RetryWork
    mark_read(ctx, row.content_id, revision_id)
    ctx.emit(_event(event, row, state, revision_id, kind))
    return revision_id


def _event(
    event: type[ContentEvent], row: Any, state: dict[str, Any], revision_id: int, kind: str
) -> ContentEvent:
    extra: dict[str, Any] = {}
    if issubclass(event, ContentModified):
        extra["change"] = kind
    if issubclass(event, ContentMoved):
        extra["from_space_id"] = row.workspace_id
    facts = (row.content_id, state["space_id"], state["parent_id"], row.content_type, revision_id, state["label"])
    return event(*facts, **extra)


def mark_read(ctx: Context, content_id: int, revision_id: int) -> None:
    """Note that the actor has read a content up to this revision; nobody acts for guests and the system."""
    if ctx.actor.id is None:
        return
    statement = ctx.kernel.memo(
        "core_content.mark_read",
        lambda: Write(upsert(ctx.dialect, READ, ("user_id", "content_id"), overwrite=("revision_id",))),
    )
    statement.run(ctx, {"user_id": ctx.actor.id, "content_id": content_id, "revision_id": revision_id})
