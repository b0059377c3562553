"""Names that were taken away a moment ago: programs that save by renaming mean the same content afterwards.

A program saves safely by writing the new bytes under another name, taking the old file away, and renaming. Seen
from outside one file got new bytes; so it stays one content, with its id, comments, tags, shares and marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.jobs import SECOND
from atrio.plugins.core_content import api as content
from atrio.plugins.spaces.api import LEVELS

from .. import queries
from ..models import ABSENT, Absence
from ..nodes import Folder, Node

WRITABLE = frozenset({"file", "html-document", "kanban", "logbook"})
"""Types that a save on the drive gives new bytes or a new text."""
PAGE = 500


@dataclass(frozen=True)
class Back:
    """A content that comes back to a name: its row as it is now, and why it was away."""

    row: Any
    kind: Absence


def note(ctx: Context, node: Node, kind: Absence) -> None:
    """Remember that the actor took a content away from its name."""
    if node.kind != "content" or node.row.content_type not in WRITABLE or ctx.actor.id is None:
        return
    statement = ctx.kernel.memo(
        "webdav.absent",
        lambda: upsert(
            ctx.dialect, ABSENT, ("user_id", "parent", "name_key"), overwrite=("content_id", "kind", "since")
        ),
    )
    ctx.execute(
        statement,
        {
            "user_id": ctx.actor.id, "parent": place_of(node), "content_id": node.content_id, "kind": int(kind),
            "name_key": content.name_key(node.name, ""), "since": ctx.now,
        },
    )  # fmt: skip


def place_of(node: Node) -> str:
    """Return the place of the folder in which a node lies."""
    return node.key.rpartition("/")[0].rpartition("/")[2]


def find(ctx: Context, parent: str, name: str, since: int) -> Any | None:
    """Return content_id and kind of what the actor took away from a name since then, None where nothing."""
    if ctx.actor.id is None:
        return None
    return queries.ABSENCE.first(
        ctx, user_id=ctx.actor.id, parent=parent, name_key=content.name_key(name, ""), since=since
    )


def comes_back(ctx: Context, space: Any, folder: Folder, name: str, since: int) -> Back | None:
    """Return the content that a save under a name means, None where it means a new one.

    Only what is still as it was left comes back, into the same space, and only for whom the act is allowed that
    undoes its leaving: a trashed one needs the role that restores.
    """
    found = find(ctx, folder.place, name, since)
    if found is None:
        return None
    content.lock_content(ctx, folder.space_id, found.content_id)
    try:
        row = content.get_content(ctx, folder.space_id, found.content_id)
    except content.ContentNotFound:
        return None
    kind = Absence(found.kind)
    manages = int(space.my_role or 0) >= LEVELS["content-manager"]
    if row.archived_at is not None or row.hidden_by is not None or row.status != "open":
        return None
    same_name = (row.parent_id, content.name_key(row.label, row.file_extension)) == (
        folder.content_id, content.name_key(name, "")
    )  # fmt: skip
    if kind is Absence.TRASHED:
        return Back(row, kind) if row.trashed_at is not None and same_name and manages else None
    if row.trashed_at is not None or (kind is Absence.HIDDEN and not same_name):
        return None
    if kind is Absence.MOVED and row.parent_id != folder.content_id and not manages:
        return None
    return Back(row, kind)


def forget(ctx: Context, parent: str, name: str) -> None:
    """Forget that the actor took something away from a name: it is there again."""
    ctx.execute(
        delete(ABSENT).where(
            ABSENT.c.user_id == ctx.actor.id, ABSENT.c.parent == parent,
            ABSENT.c.name_key == content.name_key(name, ""),
        )
    )  # fmt: skip


def drop_old(ctx: Context, seconds: float) -> None:
    """Forget what was taken away longer ago."""
    ctx.execute(delete(ABSENT).where(ABSENT.c.since < ctx.now - int(seconds * SECOND)))
