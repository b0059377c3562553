"""One new state of a content: its revision and the row of the current state."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.config import HtmlConfig
from atrio.kernel.context import Context
from atrio.kernel.db.constraints import violates
from atrio.kernel.errors import RetryWork
from atrio.kernel.html import clean_html
from atrio.kernel.text import slugify

from ..errors import NameTaken
from ..events import ContentModified
from ..models import CONTENT, REVISION
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
        "slug": slugify(label), "name_key": name_key(label, extension),
    }  # fmt: skip


# Built once: naming the values at execution costs a tenth of building an insert with them.
INSERT_CONTENT = insert(CONTENT)
INSERT_REVISION = insert(REVISION)
POINT_TO_REVISION = update(CONTENT).where(CONTENT.c.content_id == bindparam("key"))
MOVE_ON = POINT_TO_REVISION.where(CONTENT.c.version_number == bindparam("seen_version"))


def write_named(ctx: Context, statement: Any, values: dict[str, Any]) -> Any:
    """Run a statement that gives a name; NameTaken when the folder holds it already."""
    try:
        return ctx.execute(statement, values)
    except IntegrityError as error:
        if violates(error, NAME, NAME_COLUMNS):
            raise NameTaken from None
        raise


def insert_revision(ctx: Context, content_id: int, values: dict[str, Any]) -> int:
    """Write a revision and return its id; a lost race for the number is tried again."""
    try:
        result: Any = ctx.execute(
            INSERT_REVISION,
            {"content_id": content_id, "author_id": ctx.actor.id, "created": ctx.now, **values},
        )
    except IntegrityError as error:
        if violates(error, "uq_core_content_revision_number", ("content_id", "version_number")):
            raise RetryWork from None
        raise
    return int(result.inserted_primary_key[0])


def next_revision(ctx: Context, row: Any, kind: str, **changes: Any) -> int:
    """Give a content its next state and return the revision's id.

    `changes` are columns of the revision that differ from the current state. The row is moved on only from
    the version that was read: of two writers at the same moment one is tried again.
    """
    state = {
        "version_number": row.version_number + 1, "revision_type": kind, "space_id": row.workspace_id,
        "parent_id": row.parent_id, "label": row.label, "file_extension": row.file_extension,
        "status": row.status, "sub_content_types": row.sub_content_types, "is_template": row.is_template,
        "is_archived": row.is_archived, "is_deleted": row.is_deleted, "description": row.description,
        "raw_content": row.raw_content, "digest": row.digest, "size": row.stored_size,
        "mimetype": row.mimetype, **changes,
    }  # fmt: skip
    revision_id = insert_revision(ctx, row.content_id, state)
    current: dict[str, Any] = {
        "current_revision_id": revision_id, "current_revision_type": kind,
        "version_number": row.version_number + 1, "modified": ctx.now, "last_modifier_id": ctx.actor.id,
        "status": state["status"], "sub_content_types": state["sub_content_types"],
    }  # fmt: skip
    if (state["label"], state["file_extension"]) != (row.label, row.file_extension):
        current |= named(state["label"], state["file_extension"])
        if row.name_key is None:
            current["name_key"] = None
    moved = write_named(ctx, MOVE_ON, {"key": row.content_id, "seen_version": row.version_number, **current})
    if moved.rowcount != 1:
        raise RetryWork
    ctx.emit(
        ContentModified(
            row.content_id, row.workspace_id, row.parent_id, row.content_type, revision_id, state["label"],
            change=kind,
        )
    )  # fmt: skip
    return revision_id
