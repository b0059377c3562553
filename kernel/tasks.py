"""Running jobs: huey carries the wake-up with the row's id and the schedule; the outbox row is the job.

huey deletes a message before it runs it, so a message counts for nothing: the worker leases the row, runs
the handler and marks the row done in the handler's own transaction. The window that stays: a handler with
effects outside the database (a mail sent) may repeat when its process dies between the effect and the commit.
"""

from __future__ import annotations

import datetime
import importlib
import logging
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from . import jobs
from .config import RedisConfig, StorageConfig, TasksConfig, database_url
from .context import Actor, Context
from .db.work import RETRIES, Work, is_retryable, pause, run
from .errors import BootError
from .events import Phase
from .jobs import BACKOFF_SECONDS, SECOND

if TYPE_CHECKING:
    from .host import Kernel

log = logging.getLogger("atrio.tasks")
SOON = 3600
"""Seconds of a delay up to which a job is woken on time; the sweep finds what waits for longer."""


@dataclass(frozen=True)
class Task:
    """Background work: `handler(ctx, **arguments)` in a unit of its own, idempotent.

    `periodic` is a five-field crontab line in UTC; such a task runs once a slot however many workers there are.
    """

    name: str
    handler: Callable[..., Any]
    periodic: str | None = None
    lease_seconds: int | None = None
    attempts: int = 6
    summary: str = ""


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
        self._queue: _WakeUps | None = None
        self._dispatcher: _Dispatcher | None = None
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

    def write(self, ctx: Context) -> dict[int, list[str]]:
        """Write the rows of a unit: one for each (event, job subscriber) and each deferred task.

        Returns the ids to wake, by the seconds until then; what waits for longer than SOON is left to the sweep.
        """
        now = ctx.now
        rows: list[dict[str, Any]] = []
        waking: dict[int, list[str]] = {}
        facts = ""
        for event in ctx.events:
            for bound in self.kernel.bus.heard_by(type(event), Phase.JOB):
                if not bound.wants(event):
                    continue
                facts = facts or _encode(ctx.facts())
                rows.append(_row(bound.subscription.name, event.name, _encode(asdict(event)), facts, now))
        for task, arguments, delay in ctx.deferred:
            if task not in self.tasks:
                raise BootError(f"deferred task {task!r} is not declared")
            facts = facts or _encode(ctx.facts())
            rows.append(_row(task, None, _encode(arguments), facts, now + (delay or 0) * SECOND))
        if rows:
            jobs.insert_jobs(ctx, rows)
        for row in rows:
            seconds = -(-max(0, row["available"] - now) // SECOND)
            if seconds <= SOON:
                waking.setdefault(seconds, []).append(row["id"])
        return waking

    def wake(self, ids: Sequence[str], delay_seconds: int = 0) -> None:
        """Tell the consumers; a wake-up that gets lost is made good by the sweep."""
        if self.immediate:
            if not delay_seconds:
                for job_id in ids:
                    self.run(job_id)
        elif self._dispatcher is not None:
            self._dispatcher.put(ids, delay_seconds)
        else:
            self._enqueue(ids, delay_seconds)

    def _enqueue(self, ids: Sequence[str], delay_seconds: int = 0) -> None:
        try:
            wake_ups = self.wake_ups()
            for job_id in ids:
                wake_ups.put(job_id, delay_seconds)
        except Exception as error:
            log.warning("wake-up lost, the sweep will find %d job(s): %s", len(ids), error)

    def wake_ups(self) -> _WakeUps:
        """Return the huey side, made on first use."""
        with self._lock:
            if self._queue is None:
                self._queue = _WakeUps(self)
            return self._queue

    # -- running -------------------------------------------------------------------------------------------

    def run(self, job_id: str) -> str:
        """Lease a row, run its handler, mark it done in the handler's own unit; returns what became of it."""
        row = run(self.kernel, lambda ctx: self._lease(ctx, job_id))
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

    def _attempt(self, row: Any, runner: _Runner) -> bool:
        facts = msgspec.json.decode(row.facts)
        payload = msgspec.json.decode(row.payload)
        for attempt in range(RETRIES + 1):
            actor = Actor(facts.get("actor"), "system", via="job")
            ctx = Context(
                self.kernel, True, actor=actor, request_id=facts.get("request") or "",
                client_token=facts.get("token"), job_attempt=row.attempt,
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
        self._dispatcher = _Dispatcher(self, consume=consume)
        self._dispatcher.start()

    def stop(self, timeout: float = 4.0) -> None:
        """End both; a job that does not finish in time is taken over after its lease."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            dispatcher.end()
            dispatcher.join(timeout)
        if self._queue is not None:
            self._queue.stop_consumer(timeout)


def _row(job: str, event: str | None, payload: str, facts: str, available: int) -> dict[str, Any]:
    return {
        "id": jobs.new_id(), "job": job, "event": event, "payload": payload, "facts": facts,
        "state": "pending", "attempt": 0, "available": available, "created": available,
    }  # fmt: skip


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _name(owner: Any) -> str:
    return owner.name if owner is not None else "kernel"


def load_huey(*, redis: bool = False) -> Any:
    """Import huey, and of the clients of its storages only the one that is used.

    huey imports every client that it finds, which is a third of the time of a start. Where Redis comes later in
    a process that did without, huey is imported anew.
    """
    loaded = sys.modules.get("huey.storage")
    if loaded is not None and redis and loaded.Redis is None:
        for name in [n for n in sys.modules if n.partition(".")[0] == "huey"]:
            del sys.modules[name]
    unused = [n for n in ("psycopg", "cysqlite", *(() if redis else ("redis",))) if n not in sys.modules]
    sys.modules.update(dict.fromkeys(unused))
    try:
        return importlib.import_module("huey")
    finally:
        for name in unused:
            del sys.modules[name]


def parse_crontab(line: str) -> Callable[[datetime.datetime], bool]:
    """Return the test of a five-field crontab line; BootError when it is malformed."""
    crontab = load_huey().crontab

    parts = line.split()
    if len(parts) != 5:
        raise BootError(f"crontab {line!r} needs five fields")
    names = ("minute", "hour", "day", "month", "day_of_week")
    try:
        return crontab(**dict(zip(names, parts, strict=True)), strict=True)  # type: ignore[no-any-return]
    except ValueError as error:
        raise BootError(f"crontab {line!r}: {error}") from None


class _Dispatcher(threading.Thread):
    """Hands wake-ups to huey outside the request; with `consume` it starts the consumer and sweeps.

    huey is loaded here, beside the first requests instead of before them.
    """

    def __init__(self, owner: Jobs, *, consume: bool) -> None:
        super().__init__(name="jobs-dispatcher", daemon=True)
        self.owner = owner
        self.sweep = consume
        self._queue: queue.SimpleQueue[tuple[Sequence[str], int] | None] = queue.SimpleQueue()

    def _consume(self) -> None:
        try:
            self.owner.wake_ups().start_consumer(self.owner.settings.threads)
        except Exception:
            log.exception("this process runs no jobs: the consumer cannot start")

    def put(self, ids: Sequence[str], delay_seconds: int) -> None:
        self._queue.put((ids, delay_seconds))

    def end(self) -> None:
        self._queue.put(None)

    def run(self) -> None:
        interval = self.owner.settings.sweep_seconds
        next_sweep = time.monotonic()
        try:
            if self.sweep:
                self._consume()
            while True:
                if self.sweep and time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + interval
                    try:
                        self.owner.sweep()
                    except Exception:
                        log.exception("the sweep of jobs failed")
                try:
                    item = self._queue.get(timeout=max(0.05, next_sweep - time.monotonic()))
                except queue.Empty:
                    if not self.sweep:
                        next_sweep = time.monotonic() + interval
                    continue
                if item is None:
                    return
                self.owner._enqueue(*item)
        finally:
            self.owner.kernel.db.close_thread()


class _WakeUps:
    """The huey instance: on a SQLite file by default, on Redis by one key."""

    def __init__(self, owner: Jobs) -> None:
        self.owner = owner
        self.huey = make_huey(owner.kernel)
        self.consumer: Any = None
        owner_run = owner.run

        @self.huey.task(name="run_job")  # type: ignore[untyped-decorator]
        def run_job(job_id: str) -> None:
            owner_run(job_id)

        self._run_job = run_job
        for name, (_, task) in owner.tasks.items():
            if task.periodic is not None:
                self._periodic(name, task.periodic)

    def _periodic(self, name: str, line: str) -> None:
        def fire() -> None:
            self.owner.fire(name, int(time.time() // 60) * 60 * SECOND)

        fire.__name__ = f"fire_{name.replace('.', '_')}"
        self.huey.periodic_task(parse_crontab(line), name=fire.__name__)(fire)

    def put(self, job_id: str, delay_seconds: int) -> None:
        if delay_seconds:
            self._run_job.schedule(args=(job_id,), delay=delay_seconds)
        else:
            self._run_job(job_id)

    def start_consumer(self, threads: int) -> None:
        from huey.consumer import Consumer

        class QuietConsumer(Consumer):  # type: ignore[misc]
            """A consumer inside another process: it leaves the signals alone."""

            def _set_signal_handlers(self) -> None:
                return

        close = self.owner.kernel.db.close_thread
        self.huey.on_shutdown(name="close-database")(close)
        logging.getLogger("huey").setLevel(logging.WARNING)
        self.consumer = QuietConsumer(
            self.huey, workers=threads, periodic=True, initial_delay=0.05, max_delay=0.2,
            check_worker_health=False,
        )  # fmt: skip
        self.consumer.start()

    def stop_consumer(self, timeout: float) -> None:
        if self.consumer is None:
            return
        self.consumer.shutdown_timeout = timeout
        self.consumer.stop_flag.set()
        wake = getattr(self.huey.storage, "wake", None)
        if wake is not None:
            wake()
        self.consumer._join_workers()
        self.consumer = None


def make_huey(kernel: Kernel) -> Any:
    """Return the huey of this instance; its name tells instances that share a Redis apart."""
    settings = kernel.config[TasksConfig]
    redis_url = kernel.config[RedisConfig].url
    redis = settings.queue == "redis" or (settings.queue == "auto" and bool(redis_url))
    load_huey(redis=redis)
    from huey import Huey
    from huey.registry import Message
    from huey.serializer import Serializer
    from huey.storage import SqliteStorage

    class JsonSerializer(Serializer):  # type: ignore[misc]
        """JSON instead of pickle: a message from the queue is data, never code."""

        def _serialize(self, data: Any) -> bytes:
            return msgspec.json.encode(list(data) if isinstance(data, Message) else data)

        def _deserialize(self, data: bytes) -> Any:
            value = msgspec.json.decode(bytes(data))
            if not isinstance(value, list) or len(value) != len(Message._fields):
                return value
            for name in ("eta", "expires", "expires_resolved"):
                place = Message._fields.index(name)
                if isinstance(value[place], str):
                    value[place] = datetime.datetime.fromisoformat(value[place])
            place = Message._fields.index("args")
            value[place] = tuple(value[place] or ())
            return Message(*value)

    class WakingStorage(SqliteStorage):  # type: ignore[misc]
        """SQLite storage whose readers sleep on a condition, so that a wake-up is heard at once."""

        blocking = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._condition = threading.Condition()
            super().__init__(*args, **kwargs)

        def enqueue(self, data: bytes, priority: float | None = None) -> None:
            super().enqueue(data, priority)
            self.wake()

        def wake(self) -> None:
            with self._condition:
                self._condition.notify()

        def dequeue(self) -> bytes | None:
            with self._condition:
                data: bytes | None = super().dequeue()
                if data is None:
                    self._condition.wait(0.1)  # other processes write to the same file
            if data is None:
                data = super().dequeue()
            return data

    name = f"atrio-{sha256(database_url(kernel.config).encode()).hexdigest()[:12]}"
    if redis:
        from huey import RedisHuey

        return RedisHuey(
            name, url=redis_url, results=False, serializer=JsonSerializer(), read_timeout=1
        )  # fmt: skip
    folder = kernel.config[StorageConfig].data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return Huey(
        name, results=False, serializer=JsonSerializer(), storage_class=WakingStorage,
        filename=str(folder / "queue.db"), fsync=False, cache_mb=1,
    )  # fmt: skip


def consumes_in_serve(kernel: Kernel) -> bool:
    """Tell whether `serve` itself runs jobs."""
    settings = kernel.config[TasksConfig]
    if settings.consumer == "auto":
        on_redis = settings.queue == "redis" or (settings.queue == "auto" and bool(kernel.config[RedisConfig].url))
        return not on_redis
    return settings.consumer == "serve"
