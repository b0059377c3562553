"""Writes of presence: letting in, keeping the rows of a process, hiding."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, update

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id, exact
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import BootError
from atrio.kernel.jobs import SECOND

from . import queries
from .config import PresenceConfig
from .errors import TooManyOnlineUsers
from .models import ONLINE, PREFERENCE
from .roll import roll_of

_mine = ONLINE.c.process == bindparam("of_process", type_=exact(128))
RENEW = update(ONLINE).where(_mine).values(expires=bindparam("until", type_=BigInteger))
LEAVE = delete(ONLINE).where(_mine, ONLINE.c.user_id == bindparam("leaving", type_=Id))
EXPIRE = delete(ONLINE).where(_mine, ONLINE.c.expires <= bindparam("at", type_=BigInteger))
END = delete(ONLINE).where(_mine)


def admit(ctx: Context, user_id: int) -> TooManyOnlineUsers | None:
    """Let a user in, or return why not. Where there is a limit his row is written before anybody else counts.

    He himself does not count, so a second stream of his is always let in.
    """
    allowed = ctx.config[PresenceConfig].maximum_online_users
    if not allowed:
        return None
    _lock_gate(ctx)
    others = int(queries.OTHERS.value(ctx, now=ctx.now, user_id=user_id))
    if others >= allowed:
        return TooManyOnlineUsers(others, allowed)
    roll = roll_of(ctx.kernel)
    roll.admitted(user_id)
    _note(ctx, roll.process, (user_id,))
    return None


def _lock_gate(ctx: Context) -> None:
    if ctx.execute(queries.LOCK_GATE).first() is None:
        raise BootError("the gate of presence has no row; run atrio db upgrade")


def _note(ctx: Context, process: str, user_ids: Collection[int]) -> None:
    now, until = ctx.now, _until(ctx)
    statement = upsert(ctx.dialect, ONLINE, ("process", "user_id"), overwrite=("expires",))
    ctx.execute(
        statement, [{"process": process, "user_id": u, "opened": now, "expires": until} for u in sorted(user_ids)]
    )


def _until(ctx: Context) -> int:
    return ctx.now + ctx.config[PresenceConfig].lease_seconds * SECOND


def keep_users(ctx: Context, came: Collection[int], left: Collection[int]) -> None:
    """Write who came to this process, and delete who left it.

    With a limit somebody may be let in again while he leaves: behind the gate that is over, or begins later.
    """
    roll = roll_of(ctx.kernel)
    if left:
        if ctx.config[PresenceConfig].maximum_online_users:
            _lock_gate(ctx)
        gone = sorted(set(left) - roll.here())
        if gone:
            ctx.execute(LEAVE, [{"of_process": roll.process, "leaving": u} for u in gone])
    if came:
        _note(ctx, roll.process, came)


def renew_users(ctx: Context) -> int:
    """Renew all rows of this process, and delete what others left to expire; returns how many are renewed."""
    process = roll_of(ctx.kernel).process
    renewed: Any = ctx.execute(RENEW, {"of_process": process, "until": _until(ctx)})
    _sweep(ctx)
    return int(renewed.rowcount)


def _sweep(ctx: Context) -> None:
    now = ctx.now
    for row in queries.DEAD.all(ctx, now=now):
        ctx.execute(EXPIRE, {"of_process": row.process, "at": now})


def forget_process(ctx: Context) -> None:
    """Delete the rows of this process, which stops, and what others left to expire: it may be the last one."""
    ctx.execute(END, {"of_process": roll_of(ctx.kernel).process})
    _sweep(ctx)


def hide(ctx: Context, user_id: int, *, hidden: bool) -> None:
    """Note whether a user hides; who sees it is told soon."""
    statement = upsert(ctx.dialect, PREFERENCE, ("user_id",), overwrite=("hidden",))
    ctx.execute(statement, [{"user_id": user_id, "hidden": int(hidden)}])
    ctx.later(lambda kernel: roll_of(kernel).poke())


def forget_user(ctx: Context, user_id: int) -> None:
    """Delete what is kept of an account that is gone."""
    ctx.execute(delete(ONLINE).where(ONLINE.c.user_id == user_id))
    ctx.execute(delete(PREFERENCE).where(PREFERENCE.c.user_id == user_id))
