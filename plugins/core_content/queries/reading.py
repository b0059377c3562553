"""What a user has read. A content counts as read when it and all its visible descendants are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, func, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement

from ..models import Content, Read
from .columns import VISIBLE

_IS_READ = type_coerce(case((Read.revision_id >= Content.current_revision_id, 1), else_=0), Integer)
OF_SPACE = Statement(
    select(Content.content_id, Content.parent_id, _IS_READ.label("own"))
    .outerjoin(Read, and_(Read.content_id == Content.content_id, Read.user_id == bindparam("user_id")))
    .where(Content.space_id == bindparam("space_id"), VISIBLE)
    .order_by(Content.content_id),
    "ReadRow",
)


def read_flags_of_space(ctx: Context, space_id: int, user_id: int) -> list[tuple[int, bool]]:
    """Return (content, read) of every visible content of a space: one statement, rolled up here."""
    rows: Sequence[Any] = OF_SPACE.all(ctx, space_id=space_id, user_id=user_id)
    parents = {r.content_id: r.parent_id for r in rows}
    unread: set[int] = set()
    for row in rows:
        here = None if row.own else row.content_id
        while here is not None and here not in unread:
            unread.add(here)
            here = parents.get(here)
    return [(r.content_id, r.content_id not in unread) for r in rows]


def read_flags(ctx: Context, space_id: int, user_id: int, ids: Sequence[int]) -> list[tuple[int, bool]]:
    """Return (content, read) of those of these contents that are in the space; others are absent."""
    start = (
        select(Content.content_id.label("root"), Content.content_id.label("content_id"))
        .where(Content.content_id.in_(ids), Content.space_id == space_id)
        .cte("down", recursive=True)
    )
    child = aliased(Content, name="child")
    down = start.union_all(
        select(start.c.root, child.content_id).where(
            child.parent_id == start.c.content_id, child.trashed_at.is_(None), child.archived_at.is_(None)
        )
    )
    query = (
        select(down.c.root, func.min(_IS_READ))
        .join(Content, Content.content_id == down.c.content_id)
        .outerjoin(Read, and_(Read.content_id == Content.content_id, Read.user_id == user_id))
        .group_by(down.c.root)
        .order_by(down.c.root)
    )
    rows: Sequence[Any] = ctx.execute(query).all()
    return [(row[0], bool(row[1])) for row in rows]
