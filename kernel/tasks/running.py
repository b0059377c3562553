"""Running jobs: huey carries the wake-up with the row's id and the schedule; the outbox row is the job.

huey deletes a message before it runs it, so a message counts for nothing: the worker leases the row, runs
the handler and marks the row done in the handler's own transaction. The window that stays: a handler with
effects outside the database (a mail sent) may repeat when its process dies between the effect and the commit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec

from .. import jobs
from ..config import RedisConfig, TasksConfig
from ..context import Actor, Context
from ..db.work import RETRIES, Work, is_retryable, pause, run
from ..errors import BootError
from ..events import Phase
from ..jobs import BACKOFF_SECONDS, SECOND
from .declared import Task
from .queues import parse_crontab
from .waking import Dispatcher, WakeUps

if TYPE_CHECKING:
    from ..host import Kernel

log = logging.getLogger("atrio.tasks")
SOON = 3600
"""Seconds of a delay up to which a job is woken on time; the sweep finds what waits for longer."""


@dataclass
class _Runner:
    """What a job name leads to."""

    call: Callable[[Context, dict[str, Any], str | None], Any]
    owner: Any
    lease_seconds: int | None
    attempts: int


class Jobs:
    """The job side of one kernel: writes rows, wakes consumers, runs leases."""

    def __init__(self, kernel: Kernel, *, immediate: bool = False) -> None:
        self.kernel = kernel
        self.immediate = immediate
        self.settings = kernel.config[TasksConfig]
        self.tasks: dict[str, tuple[Any, Task]] = {}
        self._runners: dict[str, _Runner] = {}
        self._queue: WakeUps | None = None
        self._dispatcher: Dispatcher | None = None
        self._held: dict[str, Any] = {}
        self._lock = threading.Lock()

    # -- declarations --------------------------------------------------------------------------------------

    def declare(self, owner: Any, task: Task) -> None:
        """Register a task; a name used twice is a boot error."""
        if task.name in self.tasks:
            first = self.tasks[task.name][0]
            raise BootError(f"task {task.name!r} is declared by {_name(first)} and {_name(owner)}")
        if task.periodic is not None:
            parse_crontab(task.periodic)
        self.tasks[task.name] = (owner, task)

    def runner(self, name: str) -> _Runner | None:
        """Return how to run the job of this name; None while its plugin is off."""
        found = self._runners.get(name)
        if found is None:
            found = self._find(name)
            if found is not None:
                self._runners[name] = found
        if found is not None and found.owner is not None and not found.owner.enabled:
            return None
        return found

    def _find(self, name: str) -> _Runner | None:
        if name in self.tasks:
            owner, task = self.tasks[name]
            return _Runner(
                lambda ctx, payload, _event: task.handler(ctx, **payload),
                owner,
                task.lease_seconds,
                task.attempts,
            )
        bound = self.kernel.bus.jobs.get(name)
        if bound is None:
            return None
        subscription = bound.subscription

        def call(ctx: Context, payload: dict[str, Any], event: str | None) -> Any:
            emitted = self.kernel.bus.events.get(event or "", subscription.event)
            return subscription.handler(ctx, msgspec.convert(payload, emitted))

        return _Runner(call, bound.owner, subscription.lease_seconds, subscription.attempts)

    def names(self) -> list[str]:
        """Return every job name that can run now."""
        return [n for n in (*self.tasks, *self.kernel.bus.jobs) if self.runner(n) is not None]

    # -- writing and waking --------------------------------------------------------------------------------

    def write(self, ctx: Context) -> dict[int, list[jobs.Row]]:
        """Write the rows of a unit: one for each (event, job subscriber) and each deferred task.

        Returns what to wake, by the seconds until then; what waits for longer than SOON is left to the sweep. What
        this process will run now is leased by it from the beginning, which spares the unit that leases.
        """
        now = ctx.now
        rows: list[jobs.Row] = []
        waking: dict[int, list[jobs.Row]] = {}
        facts = ""
        for event in ctx.events:
            for bound in self.kernel.bus.heard_by(type(event), Phase.JOB):
                if not bound.wants(event):
                    continue
                facts = facts or _encode(ctx.facts())
                rows.append(_row(bound.subscription.name, event.name, _encode(event), facts, now))
        for task, arguments, delay in ctx.deferred:
            if task not in self.tasks:
                raise BootError(f"deferred task {task!r} is not declared")
            facts = facts or _encode(ctx.facts())
            rows.append(_row(task, None, _encode(arguments), facts, now + (delay or 0) * SECOND))
        near = self.near
        for row in rows:
            seconds = -(-max(0, row["available"] - now) // SECOND)
            if seconds <= SOON:
                waking.setdefault(seconds, []).append(row)
            runner = self.runner(row["job"]) if near and not seconds else None
            if runner is not None:
                until = now + (runner.lease_seconds or self.settings.lease_seconds) * SECOND
                row.update(state="leased", attempt=1, holder=jobs.holder(), leased_until=until)
        if rows:
            jobs.insert_jobs(ctx, rows)
        return waking

    @property
    def near(self) -> bool:
        """Tell whether this process runs what it writes."""
        return self._queue is not None and self._queue.near and self._dispatcher is not None

    def tell(self, waking: dict[int, list[jobs.Row]]) -> None:
        """Wake what a unit has written, now that it has committed."""
        for seconds, rows in waking.items():
            for row in rows:
                if row["state"] == "leased":
                    self._held[row["id"]] = SimpleNamespace(**row)
            self.wake([row["id"] for row in rows], seconds)

    def wake(self, ids: Sequence[str], delay_seconds: int = 0) -> None:
        """Tell the consumers; a wake-up that gets lost is made good by the sweep."""
        if self.immediate:
            if not delay_seconds:
                for job_id in ids:
                    self.run(job_id)
            return
        dispatcher = self._dispatcher
        if dispatcher is None or (self.near and not delay_seconds):
            self.enqueue(ids, delay_seconds)
        else:
            dispatcher.put(ids, delay_seconds)

    def enqueue(self, ids: Sequence[str], delay_seconds: int = 0) -> None:
        """Put wake-ups into the queue; one that is lost is found by the sweep."""
        try:
            wake_ups = self.wake_ups()
            for job_id in ids:
                wake_ups.put(job_id, delay_seconds)
        except Exception as error:
            log.warning("wake-up lost, the sweep will find %d job(s): %s", len(ids), error)

    def wake_ups(self) -> WakeUps:
        """Return the huey side, made on first use."""
        with self._lock:
            if self._queue is None:
                self._queue = WakeUps(self)
            return self._queue

    # -- running -------------------------------------------------------------------------------------------

    def run(self, job_id: str) -> str:
        """Lease a row, run its handler, mark it done in the handler's own unit; returns what became of it."""
        row = self._held.pop(job_id, None)
        if row is None:
            row = run(self.kernel, lambda ctx: self._lease(ctx, job_id), durable=False)
        elif not self._renew(row):
            return "lost"
        if row is None:
            return "not due"
        runner = self.runner(row.job)
        if runner is None:
            parked = {"state": "parked", "holder": None, "attempt": row.attempt - 1}
            run(self.kernel, lambda ctx: jobs.mark(ctx, job_id, row.attempt, **parked))
            return "parked"
        try:
            done = self._attempt(row, runner)
        except Exception as error:
            return self._failed(row, runner, error)
        return "done" if done else "lost"

    def _lease(self, ctx: Context, job_id: str) -> Any:
        seconds = self.settings.lease_seconds
        row = jobs.take_lease(ctx, job_id, ctx.now + seconds * SECOND)
        if row is not None:
            runner = self.runner(row.job)
            if runner is not None and runner.lease_seconds:
                until = ctx.now + runner.lease_seconds * SECOND
                jobs.mark(ctx, job_id, row.attempt, leased_until=until)
        return row

    def _renew(self, row: Any) -> bool:
        """Lengthen the lease of a job that has waited for long in this process; False when it was lost."""
        now = self.kernel.clock.now()
        length = row.leased_until - row.created
        if now <= row.created + length // 2:
            return True
        return run(
            self.kernel, lambda ctx: jobs.mark(ctx, row.id, row.attempt, leased_until=now + length), durable=False
        )

    def _free(self) -> None:
        """Give back what this process holds and has not begun."""
        held, self._held = self._held, {}
        if not held:
            return
        try:
            run(self.kernel, lambda ctx: jobs.free(ctx, list(held)))
        except Exception as error:
            log.warning("%d job(s) wait until their lease has run out: %s", len(held), error)

    def _attempt(self, row: Any, runner: _Runner) -> bool:
        facts = msgspec.json.decode(row.facts)
        payload = msgspec.json.decode(row.payload)
        for attempt in range(RETRIES + 1):
            actor = Actor(facts.get("actor"), "system", via="job")
            ctx = Context(
                self.kernel, True, actor=actor, request_id=facts.get("request") or "",
                client_token=facts.get("token"), job_attempt=row.attempt, durable=False,
            )  # fmt: skip
            work = Work(self.kernel, ctx)
            try:
                runner.call(ctx, payload, row.event)
                work.settle()
                if not jobs.mark(ctx, row.id, row.attempt, state="done", finished=ctx.now, error=None):
                    work.abort()
                    return False
                work.finish()
            except Exception as error:
                work.abort(error)
                if is_retryable(error) and attempt < RETRIES:
                    pause(attempt)
                    continue
                raise
            work.tell_world()
            return True
        return False

    def _failed(self, row: Any, runner: _Runner, error: Exception) -> str:
        log.warning("job %s %s failed (attempt %d): %s", row.job, row.id, row.attempt, error, exc_info=error)
        text = f"{type(error).__name__}: {error}"[:4000]
        if row.attempt >= runner.attempts:
            run(self.kernel, lambda ctx: jobs.mark(
                ctx, row.id, row.attempt, state="dead", finished=ctx.now, error=text
            ))  # fmt: skip
            return "dead"
        delay = BACKOFF_SECONDS[min(row.attempt, len(BACKOFF_SECONDS)) - 1]
        run(self.kernel, lambda ctx: jobs.mark(
            ctx, row.id, row.attempt, state="pending", available=ctx.now + delay * SECOND, error=text,
            leased_until=None, holder=None,
        ))  # fmt: skip
        self.wake([row.id], delay_seconds=delay)
        return "again"

    def sweep(self) -> int:
        """Wake every job whose wake-up was lost or whose worker died; returns how many."""
        names = self.names()
        ids = run(self.kernel, lambda ctx: jobs.due_ids(ctx, names))
        if ids:
            self.wake(ids)
        return len(ids)

    def fire(self, name: str, slot: int) -> bool:
        """Start a periodic task for a minute, if no other worker has; not while its plugin is off."""
        if self.runner(name) is None:
            return False

        def claim(ctx: Context) -> bool:
            if not jobs.claim_slot(ctx, name, slot):
                return False
            ctx.defer(name)
            return True

        try:
            return run(self.kernel, claim)
        except Exception as error:
            log.info("periodic task %s was started elsewhere: %s", name, type(error).__name__)
            return False

    # -- consumer ------------------------------------------------------------------------------------------

    def start(self, *, consume: bool) -> None:
        """Start the dispatcher, and the consumer where this process runs jobs."""
        if self.immediate or self._dispatcher is not None:
            return
        if self.settings.queue == "redis" and not self.kernel.config[RedisConfig].url:
            raise BootError("tasks.queue is redis, but redis.url is empty (ATRIO_REDIS_URL)")
        self._dispatcher = Dispatcher(self, consume=consume)
        self._dispatcher.start()

    def stop(self, timeout: float = 4.0) -> None:
        """End both; a job that does not finish in time is taken over after its lease."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            dispatcher.end()
            dispatcher.join(timeout)
        self._free()
        if self._queue is not None:
            self._queue.stop_consumer(timeout)


def _row(job: str, event: str | None, payload: str, facts: str, available: int) -> jobs.Row:
    return {
        "id": jobs.new_id(), "job": job, "event": event, "payload": payload, "facts": facts, "state": "pending",
        "attempt": 0, "holder": None, "leased_until": None, "available": available, "created": available,
    }  # fmt: skip


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _name(owner: Any) -> str:
    return owner.name if owner is not None else "kernel"
