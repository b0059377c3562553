"""Making digests: lines that wait become one mail for each receiver, in one transaction."""

from __future__ import annotations

import datetime

from sqlalchemy import BigInteger, SmallInteger, String, Text, bindparam, cast, func, literal, select, update

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.jobs import SECOND

from ..config import MailConfig
from ..kinds import DIGEST, DIGESTS
from ..models import OUTGOING
from .queue import COLUMNS, KEYS

C = OUTGOING.c
HOUR = 3600 * SECOND


def border_of(mode: str, now: int, hour: int, weekday: int) -> int:
    """Return the last moment (µs, UTC) at which digests of a mode were due: lines older than it are told.

    A worker that slept through the moment makes them at its next run: nothing waits for another day.
    """
    if mode == "hourly":
        return now - now % HOUR
    today = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC)
    due = today.replace(hour=hour, minute=0, second=0, microsecond=0)
    if due > today:
        due -= datetime.timedelta(days=1)
    if mode == "weekly":
        due -= datetime.timedelta(days=(due.weekday() - weekday) % 7)
    return int(due.timestamp()) * SECOND


def make_digests(ctx: Context) -> int:
    """Queue one digest for each user with lines that are due; returns how many."""
    settings = ctx.config[MailConfig]
    return sum(
        _make(ctx, mode, border_of(mode, ctx.now, settings.digest_hour, settings.digest_weekday))
        for mode in DIGESTS
    )


def _make(ctx: Context, mode: str, border: int) -> int:
    ref = f"{mode}.{ctx.now}"
    due = (C.state == "digest", C.mode == mode, C.created < border)
    told = update(OUTGOING).where(*due).values(state="digested", digest=ref, finished=ctx.now)
    if not ctx.execute(told).rowcount:  # type: ignore[attr-defined]
        return 0
    receivers = select(C.receiver, C.user_id).where(C.digest == bindparam("digest_ref")).distinct().subquery()
    nothing = cast(literal(None), BigInteger)
    source = select(
        receivers.c.receiver, receivers.c.user_id, cast(literal(DIGEST), String(32)),
        cast(bindparam("digest_ref"), String(100)),
        cast(literal(mode), String(16)), cast(literal("pending"), String(16)), cast(literal(0), SmallInteger),
        nothing.label("space"), nothing.label("content"), nothing.label("revision"), nothing.label("author"),
        cast(literal("{}"), Text), cast(literal(0), BigInteger),
        cast(literal(ctx.now), BigInteger).label("available"), cast(literal(ctx.now), BigInteger).label("created"),
    ).where(receivers.c.receiver > 0)  # fmt: skip
    ctx.execute(upsert(ctx.dialect, OUTGOING, KEYS, source=source, columns=COLUMNS), {"digest_ref": ref})
    counted = select(func.count(C.receiver.distinct())).where(C.digest == ref, C.receiver > 0)
    return int(ctx.execute(counted).scalar() or 0)
