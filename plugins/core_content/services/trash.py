"""Trash, archive, restore, and deletion for good.

A trashed or archived row keeps its label and gives its name free; its descendants keep their own flags and
are marked as hidden by it, by one UPDATE over the subtree. A restore clears exactly those marks.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import delete, or_, select, update

from atrio.kernel.context import Context
from atrio.kernel.errors import RetryWork

from .. import queries
from ..errors import ContentNotFound, NameTaken, NotEditable
from ..events import ContentEvent, ContentModified, ContentPurged, ContentRestored, ContentTrashed
from ..models import CONTENT
from ..names import LABEL_LIMIT, name_key
from .revision import next_revision


def trash(ctx: Context, row: Any) -> int | None:
    """Put a content into the trash; None when it is there already. NotEditable below another trashed one."""
    _refuse_hidden(row)
    if row.trashed_at is not None:
        return None
    return _hide(ctx, row, "deletion", {"trashed_at": ctx.now}, ContentTrashed)


def archive(ctx: Context, row: Any) -> int | None:
    """Archive a content; None when it is archived already."""
    _refuse_hidden(row)
    if row.archived_at is not None:
        return None
    return _hide(ctx, row, "archiving", {"archived_at": ctx.now}, ContentModified)


def restore(ctx: Context, row: Any) -> int | None:
    """Take a content out of the trash under its old label, with a number where that is taken meanwhile."""
    if row.trashed_at is None:
        return None
    return _show(ctx, row, "undeletion", "trashed_at", ContentRestored)


def unarchive(ctx: Context, row: Any) -> int | None:
    """Take a content out of the archive under its old label, with a number where that is taken meanwhile."""
    if row.archived_at is None:
        return None
    return _show(ctx, row, "unarchiving", "archived_at", ContentModified)


def _refuse_hidden(row: Any) -> None:
    if row.hidden_by is not None:
        raise NotEditable


def _hide(ctx: Context, row: Any, kind: str, mark: dict[str, int], event: type[ContentEvent]) -> int:
    flags = {"is_deleted": 1} if "trashed_at" in mark else {"is_archived": 1}
    revision_id = next_revision(ctx, row, kind, current={**mark, "name_key": None}, event=event, **flags)
    ctx.execute(
        update(CONTENT)
        .where(CONTENT.c.content_id.in_(queries.below(row.content_id)), CONTENT.c.hidden_by.is_(None))
        .values(hidden_by=row.content_id)
    )
    return revision_id


def _show(ctx: Context, row: Any, kind: str, column: str, event: type[ContentEvent]) -> int:
    flags = {"is_deleted": 0} if column == "trashed_at" else {"is_archived": 0}
    other = row.archived_at if column == "trashed_at" else row.trashed_at
    if other is not None:  # still in the other place: the name stays free, the descendants stay hidden
        return next_revision(ctx, row, kind, current={column: None}, event=event, **flags)
    ctx.execute(update(CONTENT).where(CONTENT.c.hidden_by == row.content_id).values(hidden_by=row.hidden_by))
    if row.content_type in ("comment", "todo"):
        return next_revision(ctx, row, kind, current={column: None}, event=event, **flags)
    try:
        key = name_key(row.label, row.file_extension)
        with ctx.savepoint():
            return next_revision(ctx, row, kind, current={column: None, "name_key": key}, event=event, **flags)
    except NameTaken:
        label = _free_label(ctx, row)
    key = name_key(label, row.file_extension)
    try:
        return next_revision(
            ctx, row, kind, current={column: None, "name_key": key}, event=event, label=label, **flags
        )
    except NameTaken:
        raise RetryWork from None


def _free_label(ctx: Context, row: Any) -> str:
    """Return the label with the smallest number that no sibling has: one statement."""
    stem = row.label[: LABEL_LIMIT - 12]
    pattern = stem.replace("!", "!!").replace("%", "!%").replace("_", "!_") + " (%"
    rows = queries.KNOWN_LABELS.all(
        ctx, space_id=row.workspace_id, parent_key=row.parent_key, namespace=row.content_namespace,
        file_extension=row.file_extension, pattern=pattern,
    )  # fmt: skip
    used = {int(m.group(1)) for r in rows if (m := re.fullmatch(r".* \((\d{1,9})\)", r.label, re.S))}
    number = next(n for n in range(2, len(used) + 3) if n not in used)
    return f"{stem} ({number})"


def purge(ctx: Context, row: Any) -> None:
    """Delete a content for good, with its whole subtree, revisions and everything that hangs on them.

    The subtree is cut loose first and then deleted as one set: cascades over a deep tree end at fifteen
    levels on MariaDB. Bytes that no revision names any more are left to the sweep.
    """
    if row.archived_at is not None:
        raise ContentNotFound
    mark = -row.content_id
    ctx.execute(
        update(CONTENT)
        .where(CONTENT.c.content_id.in_(queries.below(row.content_id)))
        .values(hidden_by=mark, name_key=None)
    )
    inside = tuple(ctx.execute(select(CONTENT.c.content_id).where(CONTENT.c.hidden_by == mark)).scalars())
    ctx.execute(update(CONTENT).where(CONTENT.c.hidden_by == mark).values(parent_id=None))
    ctx.execute(delete(CONTENT).where(or_(CONTENT.c.content_id == row.content_id, CONTENT.c.hidden_by == mark)))
    ctx.emit(
        ContentPurged(
            row.content_id,
            row.workspace_id,
            row.parent_id,
            row.content_type,
            row.current_revision_id,
            row.label,
            content_ids=(row.content_id, *inside),
        )
    )
