"""Reads of search: contents as results show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Float, Integer, case, func, literal, select, type_coerce

from atrio.kernel.context import Context
from atrio.kernel.db.order import byte_length
from atrio.kernel.db.statement import row_type
from atrio.plugins.core_content.api import CONTENT, REVISION, VISIBLE, digest_query
from atrio.plugins.spaces.api import short_columns

DEPTH = 1000
_space, _space_is, _space_columns = short_columns(CONTENT.c.space_id, "workspace")


def _count_of(kind: str) -> Any:
    part = CONTENT.alias(f"{kind}_part")
    return (
        select(func.count())
        .select_from(part)
        .where(
            part.c.parent_id == CONTENT.c.content_id, part.c.type == kind, part.c.trashed_at.is_(None),
            part.c.archived_at.is_(None),
        )
        .correlate(CONTENT)
        .scalar_subquery()
        .label(f"{kind}_count")
    )  # fmt: skip


EXTRA = (
    *_space_columns,
    type_coerce(literal(1.0), Float).label("score"),
    type_coerce(case((VISIBLE, 1), else_=0), Integer).label("is_active"),
    func.coalesce(REVISION.c.size, byte_length(REVISION.c.raw_content)).label("content_size"),
    _count_of("comment"),
    _count_of("todo"),
)


def rows_of(ctx: Context, wanted: Any, offset: int, limit: int) -> Sequence[Any]:
    """Return a page of the contents that meet a condition, newest first, each with its path: two statements."""
    query = (
        digest_query(ctx)
        .add_columns(*EXTRA)
        .join(_space, _space_is)
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(wanted)
        .order_by(CONTENT.c.modified.desc(), CONTENT.c.current_revision_id.desc(), CONTENT.c.content_id.desc())
        .limit(limit)
        .offset(offset)
    )
    result = ctx.execute(query)
    keys = tuple(result.keys())
    rows: Any = result.all()
    paths = paths_of(ctx, [row.content_id for row in rows])
    row = ctx.kernel.memo("search.row", lambda: row_type("HitRow", (*keys, "path")))
    return [row(*values, paths[values.content_id]) for values in rows]


def paths_of(ctx: Context, content_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the way from the root to each of these contents, itself included, in one statement."""
    found: dict[int, list[dict[str, Any]]] = {content_id: [] for content_id in content_ids}
    if not found:
        return found
    up = (
        select(
            CONTENT.c.content_id.label("start_id"),
            CONTENT.c.content_id,
            CONTENT.c.parent_id,
            literal(0).label("depth"),
        )
        .where(CONTENT.c.content_id.in_(content_ids))
        .cte("way", recursive=True)
    )
    parent = CONTENT.alias("above")
    up = up.union_all(
        select(up.c.start_id, parent.c.content_id, parent.c.parent_id, up.c.depth + 1)
        .join(up, up.c.parent_id == parent.c.content_id)
        .where(up.c.depth < DEPTH)
    )
    step = CONTENT.alias("step")
    query = (
        select(up.c.start_id, step.c.content_id, step.c.label, step.c.slug, step.c.type)
        .join(step, step.c.content_id == up.c.content_id)
        .order_by(up.c.start_id, up.c.depth.desc())
    )
    steps: Any = ctx.execute(query).all()
    for start_id, content_id, label, slug, kind in steps:
        found[start_id].append({"content_id": content_id, "label": label, "slug": slug, "content_type": kind})
    return found
