"""Marks of what a user has read."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, literal, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert

from .. import queries
from ..models import CONTENT, READ


def mark_content(ctx: Context, user_id: int, content_id: int) -> None:
    """Mark a content and everything visible below it as read by a user: one statement."""
    _mark(
        ctx, user_id, or_(CONTENT.c.content_id == content_id, CONTENT.c.content_id.in_(queries.below(content_id)))
    )


def mark_space(ctx: Context, user_id: int, space_id: int) -> None:
    """Mark every content of a space as read by a user: one statement."""
    _mark(ctx, user_id, CONTENT.c.space_id == space_id)


def _mark(ctx: Context, user_id: int, where: Any) -> None:
    source = select(
        literal(user_id).label("user_id"), CONTENT.c.content_id, CONTENT.c.current_revision_id.label("revision_id")
    ).where(where)
    ctx.execute(
        upsert(
            ctx.dialect, READ, ("user_id", "content_id"), overwrite=("revision_id",), source=source,
            columns=("user_id", "content_id", "revision_id"),
        )
    )  # fmt: skip


def unmark_content(ctx: Context, user_id: int, content_id: int) -> None:
    """Mark a content and everything below it as not read by a user."""
    ctx.execute(
        delete(READ).where(
            READ.c.user_id == user_id,
            or_(READ.c.content_id == content_id, READ.c.content_id.in_(queries.below(content_id))),
        )
    )
