"""Reads of presence."""

from __future__ import annotations

from sqlalchemy import bindparam, distinct, func, literal, select

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.kernel.db.statement import Statement

from .models import GATE, ONLINE, PREFERENCE

_unexpired = ONLINE.c.expires > bindparam("now")
_user_id = bindparam("user_id", type_=Id)
_hides = (
    select(PREFERENCE.c.user_id)
    .where(PREFERENCE.c.user_id == ONLINE.c.user_id, PREFERENCE.c.hidden == literal(1))
    .exists()
)

COUNT = Statement(select(func.count(distinct(ONLINE.c.user_id)).label("online")).where(_unexpired), "CountRow")
OTHERS = Statement(
    select(func.count(distinct(ONLINE.c.user_id)).label("online")).where(_unexpired, ONLINE.c.user_id != _user_id),
    "CountRow",
)
SHOWN = Statement(select(ONLINE.c.user_id).where(_unexpired, ~_hides).distinct(), "ShownRow")
OF_PROCESS = Statement(select(ONLINE.c.user_id).where(ONLINE.c.process == bindparam("process")), "ProcessRow")
SINCE = Statement(
    select(func.min(ONLINE.c.opened).label("since")).where(_unexpired, ONLINE.c.user_id == _user_id), "SinceRow"
)
HIDDEN = Statement(select(PREFERENCE.c.hidden).where(PREFERENCE.c.user_id == _user_id), "HiddenRow")
DEAD = Statement(
    select(ONLINE.c.process).where(ONLINE.c.expires <= bindparam("now")).distinct().order_by(ONLINE.c.process),
    "DeadProcessRow",
)
LOCK_GATE = select(GATE.c.gate_id).where(GATE.c.gate_id == literal(1)).with_for_update()


def count_online(ctx: Context) -> int:
    """Return how many users are online, in all processes."""
    return int(COUNT.value(ctx, now=ctx.now))


def shown_online(ctx: Context) -> set[int]:
    """Return the users who are online and do not hide."""
    return {row.user_id for row in SHOWN.all(ctx, now=ctx.now)}


def users_of(ctx: Context, process: str) -> set[int]:
    """Return the users whom a process has noted, expired or not."""
    return {row.user_id for row in OF_PROCESS.all(ctx, process=process)}


def online_since(ctx: Context, user_id: int) -> int | None:
    """Return since when a user is online; None when he is not."""
    found: int | None = SINCE.value(ctx, now=ctx.now, user_id=user_id)
    return found


def is_hidden(ctx: Context, user_id: int) -> bool:
    """Tell whether a user hides."""
    return bool(HIDDEN.value(ctx, user_id=user_id))
