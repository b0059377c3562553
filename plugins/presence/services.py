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
_known = ONLINE.c.expires <= bindparam("known", type_=BigInteger)
RENEW = update(ONLINE).where(_mine).values(expires=bindparam("until", type_=BigInteger))
LEAVE = delete(ONLINE).where(_mine, ONLINE.c.user_id == bindparam("leaving", type_=Id), _known)
EXPIRE = delete(ONLINE).where(_mine, _known)
END = delete(ONLINE).where(_mine)


def admit(ctx: Context, user_id: int) -> TooManyOnlineUsers | None:
    """Let a user in, or return why not. Where there is a limit his row is written before anybody else counts.

    He himself does not count, so a second stream of his is always let in.
    """
    allowed = ctx.config[PresenceConfig].maximum_online_users
    if not allowed:
        return None
    if ctx.execute(queries.LOCK_GATE).first() is None:
        raise BootError("the gate of presence has no row; run atrio db upgrade")
    others = int(queries.OTHERS.value(ctx, now=ctx.now, user_id=user_id))
    if others >= allowed:
        return TooManyOnlineUsers(others, allowed)
    roll = roll_of(ctx.kernel)
    roll.admitted(user_id)
    _note(ctx, roll.process, (user_id,), _until(ctx))
    return None


def _note(ctx: Context, process: str, user_ids: Collection[int], until: int) -> None:
    now = ctx.now
    statement = upsert(ctx.dialect, ONLINE, ("process", "user_id"), overwrite=("expires",))
    ctx.execute(
        statement, [{"process": process, "user_id": u, "opened": now, "expires": until} for u in sorted(user_ids)]
    )


def _until(ctx: Context) -> int:
    return ctx.now + ctx.config[PresenceConfig].lease_seconds * SECOND


def keep_users(
    ctx: Context, process: str, *, came: Collection[int], left: Collection[int], known: int
) -> int:  # fmt: skip
    """Write who came to a process and delete who left it; returns until when the rows hold at most.

    `known` is the last such value: a row that holds longer was written by `admit` meanwhile and stays.
    """
    if left:
        ctx.execute(LEAVE, [{"of_process": process, "leaving": u, "known": known} for u in sorted(left)])
    until = _until(ctx)
    if came:
        _note(ctx, process, came, until)
    return max(known, until)


def renew_users(ctx: Context, process: str) -> tuple[int, int]:
    """Renew all rows of a process, and delete what others left to expire; returns how many hold until when."""
    until = _until(ctx)
    renewed: Any = ctx.execute(RENEW, {"of_process": process, "until": until})
    now = ctx.now
    for row in queries.DEAD.all(ctx, now=now):
        ctx.execute(EXPIRE, {"of_process": row.process, "known": now})
    return int(renewed.rowcount), until


def forget_process(ctx: Context, process: str) -> None:
    """Delete the rows of a process that stops."""
    ctx.execute(END, {"of_process": process})


def hide(ctx: Context, user_id: int, *, hidden: bool) -> None:
    """Note whether a user hides; who sees it is told soon."""
    statement = upsert(ctx.dialect, PREFERENCE, ("user_id",), overwrite=("hidden",))
    ctx.execute(statement, [{"user_id": user_id, "hidden": int(hidden)}])
    ctx.later(lambda kernel: roll_of(kernel).poke())


def forget_user(ctx: Context, user_id: int) -> None:
    """Delete what is kept of an account that is gone."""
    ctx.execute(delete(ONLINE).where(ONLINE.c.user_id == user_id))
    ctx.execute(delete(PREFERENCE).where(PREFERENCE.c.user_id == user_id))
