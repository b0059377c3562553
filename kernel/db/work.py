"""The unit of work: the only place that commits.

flush → before_commit validate, project (may write, emit one further round, veto) → the caller loads what its
answer needs → publish → outbox rows → COMMIT → after_commit subscribers, each isolated.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from ..context import SYSTEM, Actor, Context
from ..errors import BootError, InternalError, KernelError, RetryWork, full_disk
from ..events import Bound, Event, Phase, Stage

if TYPE_CHECKING:
    from ..host import Kernel

log = logging.getLogger("atrio.work")
T = TypeVar("T")
RETRIES = 6
"""How often a unit that lost a race is tried again before the answer is 503."""


def pause(attempt: int) -> None:
    """Wait a moment before a retry, longer and less alike each time, so that rivals do not meet again."""
    time.sleep(random.uniform(0, min(0.002 * 2**attempt, 0.05)))  # noqa: S311 - no secret


CASCADE_ROUNDS = 2


class Work:
    """Drives one Context through its life; used by every door through `unit_of_work` or `run`."""

    def __init__(self, kernel: Kernel, ctx: Context) -> None:
        self.kernel = kernel
        self.ctx = ctx
        self._jobs: dict[int, list[dict[str, Any]]] = {}

    def settle(self) -> None:
        """Flush and let before_commit subscribers validate and project; may be called more than once."""
        ctx = self.ctx
        if ctx._session is not None:
            ctx._session.flush()
        for _ in range(CASCADE_ROUNDS):
            fresh = ctx.events[ctx._seen :]
            if not fresh:
                return
            ctx._seen = len(ctx.events)
            for event in fresh:
                self._tell(event)
            if ctx._session is not None:
                ctx._session.flush()
        if ctx.events[ctx._seen :]:
            raise BootError(f"events cascade without end: {', '.join(e.name for e in ctx.events[ctx._seen :])}")

    def _tell(self, event: Event) -> None:
        for bound in self.kernel.bus.heard_by(type(event), Phase.BEFORE_COMMIT):
            if bound.subscription.stage is not Stage.PUBLISH and bound.wants(event):
                self._hear(bound, event, event.name)

    def _publish(self) -> None:
        """Give each publishing subscriber all it wants of this unit at once."""
        for bound in self.kernel.bus.publishers:
            kind = bound.subscription.event
            heard = [e for e in self.ctx.events if isinstance(e, kind) and bound.wants(e)]
            if heard:
                self._hear(bound, heard, ", ".join(e.name for e in heard[:5]))

    def _hear(self, bound: Bound, what: Event | list[Event], name: str) -> None:
        owner, subscription = bound.owner, bound.subscription
        if owner is None or owner.essential:
            self._hear_essential(bound, what)
            return
        before = len(self.ctx.events), len(self.ctx.deferred)
        try:
            with self.ctx.savepoint():
                subscription.handler(self.ctx, what)
        except RetryWork:
            raise
        except Exception as error:
            if isinstance(error, subscription.vetoes) or is_retryable(error) or full_disk(error):
                raise
            del self.ctx.events[before[0] :]
            del self.ctx.deferred[before[1] :]
            log.exception("before_commit subscriber of %s failed on %s", owner.name, name)
            self.kernel.note_fault(owner, in_commit=True)
        else:
            owner.streak = 0

    def _hear_essential(self, bound: Bound, what: Event | list[Event]) -> None:
        try:
            bound.subscription.handler(self.ctx, what)
        except RetryWork:
            raise
        except KernelError as error:
            if isinstance(error, bound.subscription.vetoes):
                raise
            raise InternalError from error

    def finish(self) -> None:
        """Publish, write the outbox, commit; the transaction is over either way."""
        ctx = self.ctx
        self.settle()
        if ctx._kept is None and not ctx.events and not ctx.deferred:
            return
        if ctx.events:
            self._publish()
        if ctx.events or ctx.deferred:
            self._jobs = self.kernel.jobs.write(ctx)
        self._close(commit=True)

    def _close(self, *, commit: bool, gone: bool = False) -> None:
        ctx = self.ctx
        kept, ctx._kept = ctx._kept, None
        session, ctx._session = ctx._session, None
        ctx._closed = True
        if kept is None:
            return
        try:
            if session is not None:
                if commit:
                    session.flush()
                session.expunge_all()
        except BaseException:
            commit = False
            raise
        finally:
            self.kernel.db.end(
                kept, ctx.writes, commit=commit, broken=gone, durable=ctx.durable or bool(ctx.events)
            )

    def abort(self, error: BaseException | None = None) -> None:
        """Roll back; a connection that the error broke is thrown away."""
        gone = isinstance(error, DBAPIError) and error.connection_invalidated
        try:
            self._close(commit=False, gone=gone)
        except Exception:
            if error is None:
                raise
            log.warning("rollback failed after %s", type(error).__name__)

    def tell_world(self) -> None:
        """Run what follows a commit: wake the jobs, after_commit subscribers, deferred calls."""
        self.kernel.jobs.tell(self._jobs)
        if self.ctx.events:
            self.kernel.bus.after_commit(self.kernel, self.ctx.events)
        self.run_later()

    def run_later(self) -> None:
        """Run the calls that wait for the end of the unit; a refused request has them too."""
        for call in self.ctx._later:
            try:
                call(self.kernel)
            except Exception:
                log.exception("a call after the unit of work failed")


@contextmanager
def unit_of_work(
    kernel: Kernel, *, writes: bool = True, actor: Actor = SYSTEM, request_id: str = "", durable: bool = True
) -> Iterator[Context]:
    """Open a unit for a block: commit at its end, roll back when it raises."""
    ctx = Context(kernel, writes, actor=actor, request_id=request_id, durable=durable)
    work = Work(kernel, ctx)
    try:
        yield ctx
        if writes:
            work.finish()
        else:
            work._close(commit=False)
    except BaseException as error:
        work.abort(error)
        raise
    work.tell_world()


def run(
    kernel: Kernel, call: Callable[[Context], T], *, writes: bool = True, actor: Actor = SYSTEM,
    request_id: str = "", guards: tuple[Any, ...] = (), path: dict[str, str] | None = None,
    raw_body: Mapping[str, Any] | None = None, durable: bool = True,
) -> T:  # fmt: skip
    """Run a call in a unit of work, behind the same guards as a route; a lost race is tried again.

    This is how every door that is not an HTTP route works: the command line, DAV, mail, tasks. `path` and
    `raw_body` are what guards read: the names of the route's path, and for the few that ask for a key of the
    body (the type of a new content, the destination of a move) that key.
    """
    from ..http.guards import check_all
    from ..http.route import Call

    attempt = 0
    while True:
        try:
            with unit_of_work(
                kernel, writes=writes, actor=actor, request_id=request_id, durable=durable
            ) as ctx:  # fmt: skip
                if guards:
                    check_all(ctx, Call(path=dict(path or {}), raw_body=raw_body or {}), guards)
                return call(ctx)
        except (RetryWork, OperationalError, DBAPIError) as error:
            if attempt >= RETRIES or not is_retryable(error):
                raise
            pause(attempt)
            attempt += 1


def is_retryable(error: BaseException) -> bool:
    """Tell whether the whole unit may be tried again: a lost race or a broken connection, never a fault."""
    if isinstance(error, RetryWork):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    original = error.orig
    if getattr(original, "sqlstate", None) in ("40001", "40P01"):  # PostgreSQL: serialisation, deadlock
        return True
    number = original.args[0] if original is not None and original.args else None
    return number in (1205, 1213, 1020)  # MariaDB: lock wait, deadlock, changed row
