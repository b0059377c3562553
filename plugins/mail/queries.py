"""Reads of mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from atrio.kernel.context import Context

from .models import INCOMING, OPEN_SPACE, OUTGOING

C = OUTGOING.c


def listed(ctx: Context, states: Sequence[str], limit: int) -> list[Any]:
    """Return mails in some states, newest first."""
    query = select(C.mail_id, C.kind, C.user_id, C.state, C.attempt, C.created, C.available, C.error)
    return list(ctx.execute(query.where(C.state.in_(states)).order_by(C.mail_id.desc()).limit(limit)).all())


def waiting(ctx: Context) -> dict[str, int]:
    """Return how many mails are in each state that needs somebody: waiting, being sent, given up."""
    states = ("pending", "sending", "dead")
    query = select(C.state, func.count().label("n")).where(C.state.in_(states)).group_by(C.state)
    return {row.state: int(row.n) for row in ctx.execute(query)}


def came(ctx: Context, key: str) -> Any | None:
    """Return what became of a mail that came; None when it is new."""
    columns = (INCOMING.c.state, INCOMING.c.attempt, INCOMING.c.reason, INCOMING.c.content_id)
    return ctx.execute(select(*columns).where(INCOMING.c.key == key)).first()


def refusals_since(ctx: Context, user_id: int, moment: int) -> int:
    """Return how many mails of a user were refused since a moment (µs)."""
    query = select(func.count()).where(
        INCOMING.c.user_id == user_id, INCOMING.c.created >= moment, INCOMING.c.state == "refused"
    )
    return int(ctx.execute(query).scalar() or 0)


def takes_threads(ctx: Context, space_id: int) -> bool:
    """Tell whether a space takes new threads by mail."""
    return ctx.execute(select(OPEN_SPACE.c.space_id).where(OPEN_SPACE.c.space_id == space_id)).first() is not None
