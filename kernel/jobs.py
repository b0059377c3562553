"""The rows behind background work: the outbox row *is* the job.

A row is written in the transaction that causes it: pending → leased(until, attempt) → done | dead. A wake-up
queue may lose its message at any moment; the row is found again by the sweep.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Index, Integer, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from .db.base import Base, LongText, Timestamp, exact
from .db.statement import Statement, Write

if TYPE_CHECKING:
    from .context import Context

BACKOFF_SECONDS = (10, 60, 600, 3600, 21600)
SECOND = 1_000_000


class OutboxJob(Base):
    """One job: a subscriber that must hear an event, or a deferred task."""

    __tablename__ = "kernel_outbox"
    __table_args__ = (Index("ix_kernel_outbox_state_available", "state", "available"),)

    id: Mapped[str] = mapped_column(exact(32), primary_key=True)
    job: Mapped[str] = mapped_column(exact(128))
    event: Mapped[str | None] = mapped_column(exact(128))
    payload: Mapped[str] = mapped_column(LongText)
    facts: Mapped[str] = mapped_column(LongText)
    state: Mapped[str] = mapped_column(exact(16))
    attempt: Mapped[int] = mapped_column(Integer)
    holder: Mapped[str | None] = mapped_column(exact(255))
    leased_until: Mapped[int | None] = mapped_column(Timestamp)
    available: Mapped[int] = mapped_column(Timestamp)
    created: Mapped[int] = mapped_column(Timestamp)
    finished: Mapped[int | None] = mapped_column(Timestamp)
    error: Mapped[str | None] = mapped_column(LongText)


_JOB = Base.metadata.tables["kernel_outbox"]
_INSERT = Write(insert(_JOB))
_now = bindparam("now", type_=BigInteger)
_LEASE = Write(
    update(_JOB)
    .where(
        _JOB.c.id == bindparam("job_id"),
        or_(
            (_JOB.c.state == "pending") & (_JOB.c.available <= _now),
            (_JOB.c.state == "leased") & (_JOB.c.leased_until < _now),
        ),
    )
    .values(
        state="leased", leased_until=bindparam("until", type_=BigInteger), holder=bindparam("me"),
        attempt=_JOB.c.attempt + 1,
    )
)  # fmt: skip
_JOB_ROW = Statement(select(_JOB).where(_JOB.c.id == bindparam("job_id")), "JobRow")
_HELD = Write(
    update(_JOB).where(
        _JOB.c.id == bindparam("job_id"), _JOB.c.attempt == bindparam("held"), _JOB.c.state == "leased"
    )
)  # fmt: skip


class Lease(Base):
    """Who runs a single background service at present."""

    __tablename__ = "kernel_lease"

    name: Mapped[str] = mapped_column(exact(128), primary_key=True)
    holder: Mapped[str] = mapped_column(exact(255))
    until: Mapped[int] = mapped_column(Timestamp)


class PeriodicRun(Base):
    """The minute in which a periodic task was started last: whoever moves it on runs the task."""

    __tablename__ = "kernel_periodic"

    task: Mapped[str] = mapped_column(exact(128), primary_key=True)
    slot: Mapped[int] = mapped_column(Timestamp)


Row = dict[str, Any]
"""A job that is to be written, by the names of its columns."""
BOOT = secrets.token_hex(4)


def holder() -> str:
    """Return the name of this process among all that share the database."""
    return f"{_host()}:{os.getpid()}:{BOOT}"


@cache
def _host() -> str:
    return socket.gethostname()


def abandoned(name: str | None) -> bool:
    """Tell whether a holder is a process of this host that no longer lives."""
    try:
        host, pid, boot = (name or "").rsplit(":", 2)
        number = int(pid)
    except ValueError:
        return False
    if host != _host() or boot == BOOT:
        return False
    if number == os.getpid():
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def new_id() -> str:
    """Return an id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1000:016x}{secrets.token_hex(8)}"


def insert_jobs(ctx: Context, rows: Sequence[Row]) -> None:
    """Write outbox rows in the unit."""
    _INSERT.run_all(ctx, rows)


def take_lease(ctx: Context, job_id: str, until: int) -> Any | None:
    """Lease a due job for this process; None when somebody else has it or it is over."""
    if _LEASE.run(ctx, {"job_id": job_id, "now": ctx.now, "until": until, "me": holder()}) != 1:
        return None
    return _JOB_ROW.first(ctx, job_id=job_id)


def mark(ctx: Context, job_id: str, held_attempt: int, /, **values: Any) -> bool:
    """Change a job that this attempt still holds; False when the lease was lost."""
    return _HELD.run(ctx, {"job_id": job_id, "held": held_attempt, **values}) == 1


def free(ctx: Context, ids: Sequence[str]) -> None:
    """Give back jobs that this process has leased and not begun, as if it had never had them."""
    for start in range(0, len(ids), 500):
        ctx.execute(
            update(OutboxJob)
            .where(
                OutboxJob.id.in_(ids[start : start + 500]), OutboxJob.state == "leased",
                OutboxJob.holder == holder(), OutboxJob.attempt == 1,
            )
            .values(state="pending", attempt=0, holder=None, leased_until=None)
        )  # fmt: skip


def due_ids(ctx: Context, known: Iterable[str], limit: int = 500) -> list[str]:
    """Return jobs whose wake-up was lost or whose holder is gone, and free those of dead processes."""
    now = ctx.now
    rows = ctx.execute(
        select(OutboxJob.id, OutboxJob.state, OutboxJob.holder, OutboxJob.leased_until)
        .where(
            or_(
                (OutboxJob.state == "pending") & (OutboxJob.available <= now),
                (OutboxJob.state == "leased") & ((OutboxJob.leased_until < now) | (OutboxJob.holder != holder())),
            )
        )
        .order_by(OutboxJob.available)
        .limit(limit)
    ).all()
    found = [r.id for r in rows if r.state == "pending" or r.leased_until < now]
    orphans = [r.id for r in rows if r.state == "leased" and r.leased_until >= now and abandoned(r.holder)]
    if orphans:
        ctx.execute(
            update(OutboxJob)
            .where(OutboxJob.id.in_(orphans), OutboxJob.state == "leased")
            .values(state="pending", leased_until=None, holder=None)
        )
    names = sorted(known)
    parked = ctx.execute(
        select(OutboxJob.id).where(OutboxJob.state == "parked", OutboxJob.job.in_(names)).limit(limit)
    ).scalars().all()  # fmt: skip
    if parked:
        ctx.execute(update(OutboxJob).where(OutboxJob.id.in_(parked)).values(state="pending", available=now))
    return [*found, *orphans, *parked]


def claim_slot(ctx: Context, task: str, slot: int) -> bool:
    """Move a periodic task on to this minute; False when another worker did."""
    older = (PeriodicRun.task == task, PeriodicRun.slot < slot)
    if _count(ctx, update(PeriodicRun).where(*older).values(slot=slot)) == 1:
        return True
    if ctx.execute(select(PeriodicRun.slot).where(PeriodicRun.task == task)).first() is not None:
        return False
    ctx.execute(insert(PeriodicRun).values(task=task, slot=slot))
    return True


def take_single(ctx: Context, name: str, seconds: int) -> bool:
    """Take or renew the lease of a single service; True while it is ours."""
    now, me = ctx.now, holder()
    row = ctx.execute(select(Lease.holder, Lease.until).where(Lease.name == name)).first()
    until = now + seconds * SECOND
    if row is None:
        ctx.execute(insert(Lease).values(name=name, holder=me, until=until))
        return True
    if row.holder != me and row.until >= now and not abandoned(row.holder):
        return False
    same = (Lease.name == name, Lease.holder == row.holder, Lease.until == row.until)
    return _count(ctx, update(Lease).where(*same).values(holder=me, until=until)) == 1


def release_single(ctx: Context, name: str) -> None:
    """Give the lease back at shutdown, so that another process need not wait."""
    ctx.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder()))


def list_jobs(ctx: Context, states: Sequence[str] = (), limit: int = 100) -> list[Any]:
    """Return jobs, newest first."""
    query = select(
        OutboxJob.id, OutboxJob.job, OutboxJob.event, OutboxJob.state, OutboxJob.attempt, OutboxJob.created,
        OutboxJob.available, OutboxJob.error,
    ).order_by(OutboxJob.id.desc()).limit(limit)  # fmt: skip
    if states:
        query = query.where(OutboxJob.state.in_(states))
    return list(ctx.execute(query).all())


def retry(ctx: Context, ids: Sequence[str]) -> int:
    """Make dead jobs pending again with a fresh count of attempts."""
    waiting = OutboxJob.state.in_(("dead", "pending", "parked"))
    return _count(
        ctx,
        update(OutboxJob)
        .where(OutboxJob.id.in_(ids), waiting)
        .values(state="pending", attempt=0, available=ctx.now, leased_until=None),
    )


def drop(ctx: Context, ids: Sequence[str]) -> int:
    """Delete jobs that are not running."""
    return _count(ctx, delete(OutboxJob).where(OutboxJob.id.in_(ids), OutboxJob.state != "leased"))


def drop_named(ctx: Context, names: Sequence[str]) -> int:
    """Delete every job of these names: their plugin is purged."""
    return _count(ctx, delete(OutboxJob).where(OutboxJob.job.in_(names)))


def purge_finished(ctx: Context, before: int) -> int:
    """Delete done jobs older than a moment."""
    return _count(ctx, delete(OutboxJob).where(OutboxJob.state == "done", OutboxJob.finished < before))


def _count(ctx: Context, statement: Any) -> int:
    result: Any = ctx.execute(statement)
    return int(result.rowcount)


def backlog(ctx: Context) -> dict[str, int]:
    """Return how many jobs are in each state but done."""
    rows: Any = ctx.execute(
        select(OutboxJob.state, func.count()).where(OutboxJob.state != "done").group_by(OutboxJob.state)
    )
    return {row[0]: row[1] for row in rows}
