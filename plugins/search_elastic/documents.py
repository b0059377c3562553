"""What the index holds of a content, read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT
from atrio.plugins.search.api import FIELDS, TEXT, texts_of, words

COLUMNS = (
    CONTENT.c.content_id, CONTENT.c.space_id, CONTENT.c.type, CONTENT.c.status, CONTENT.c.file_extension,
    CONTENT.c.author_id, CONTENT.c.last_modifier_id.label("modifier_id"), CONTENT.c.created, CONTENT.c.modified,
)  # fmt: skip


def documents(ctx: Context, content_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the documents of some contents by id, those that are gone left out: one statement and the tags'."""
    query = (
        select(
            *COLUMNS, CONTENT.c.hidden_by, CONTENT.c.trashed_at, CONTENT.c.archived_at,
            *(TEXT.c[name].label(f"{name}_text") for name in FIELDS),
        )
        .join(TEXT, TEXT.c.content_id == CONTENT.c.content_id)
        .where(CONTENT.c.content_id.in_(content_ids))
    )  # fmt: skip
    rows: Any = ctx.execute(query).all()
    added = texts_of(ctx, [row.content_id for row in rows]) if rows else {}
    return {row.content_id: _document(row, added[row.content_id][0]) for row in rows}


def _document(row: Any, tags: Sequence[str]) -> dict[str, Any]:
    return {
        **{column.key: getattr(row, column.key) for column in COLUMNS},
        "hidden": row.hidden_by is not None, "trashed": row.trashed_at is not None,
        "archived": row.archived_at is not None, "tag_names": sorted(tags),
        **{name: " ".join(words(getattr(row, f"{name}_text"))) for name in FIELDS},
    }  # fmt: skip
