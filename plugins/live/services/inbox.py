"""Marks of an inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select, update

from atrio.kernel.context import Context

from ..errors import MessageDoesNotExist
from ..models import EVENT, MESSAGE


def mark_one(ctx: Context, user_id: int, event_id: int, *, read: bool) -> None:
    """Mark one message; MessageDoesNotExist when the user got none of this event. Again: the first date stays."""
    value = func.coalesce(MESSAGE.c.read_at, ctx.now) if read else None
    done: Any = ctx.execute(
        update(MESSAGE).where(MESSAGE.c.user_id == user_id, MESSAGE.c.event_id == event_id).values(read_at=value)
    )
    if done.rowcount != 1:
        raise MessageDoesNotExist


def mark_all(ctx: Context, user_id: int, filters: dict[str, tuple[int, ...]], *, read: bool) -> None:
    """Mark what the filters name, everything without any; what has the mark already is left alone.

    The kinds of filters are combined by AND, contents and parents with each other by OR (spec: events, §5).
    History that was never sent stays read.
    """
    statement = update(MESSAGE).where(MESSAGE.c.user_id == user_id)
    if read:
        statement = statement.where(MESSAGE.c.read_at.is_(None)).values(read_at=ctx.now)
    else:
        statement = statement.where(MESSAGE.c.read_at.is_not(None), MESSAGE.c.sent == 1).values(read_at=None)
    if filters.get("event_ids"):
        statement = statement.where(MESSAGE.c.event_id.in_(filters["event_ids"]))
    if filters.get("space_ids"):
        statement = statement.where(MESSAGE.c.space_id.in_(filters["space_ids"]))
    about = [
        column.in_(filters[name])
        for name, column in (("content_ids", EVENT.c.content_id), ("parent_ids", EVENT.c.parent_id))
        if filters.get(name)
    ]
    if about:
        statement = statement.where(MESSAGE.c.event_id.in_(select(EVENT.c.event_id).where(or_(*about))))
    ctx.execute(statement)
