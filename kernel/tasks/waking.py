"""What stands between a committed row and the thread that runs it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..jobs import SECOND
from .queues import make_huey, parse_crontab

if TYPE_CHECKING:
    from .running import Jobs

log = logging.getLogger("atrio.tasks")


class Dispatcher(threading.Thread):
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
        """Hand wake-ups over."""
        self._queue.put((ids, delay_seconds))

    def end(self) -> None:
        """End the thread when it has handed over what came before."""
        self._queue.put(None)

    def run(self) -> None:
        """Hand on what comes, and sweep now and then."""
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
                self.owner.enqueue(*item)
        finally:
            self.owner.kernel.db.close_thread()


class WakeUps:
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

    @property
    def near(self) -> bool:
        """Tell whether a wake-up for now costs nothing: it goes to readers of this process, in memory."""
        return self.consumer is not None and hasattr(self.huey.storage, "read_here")

    def put(self, job_id: str, delay_seconds: int) -> None:
        """Let a job be woken, now or later."""
        if delay_seconds:
            self._run_job.schedule(args=(job_id,), delay=delay_seconds)
        else:
            self._run_job(job_id)

    def start_consumer(self, threads: int) -> None:
        """Run jobs in threads of this process from now on."""
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
        if hasattr(self.huey.storage, "read_here"):
            self.huey.storage.read_here()

    def stop_consumer(self, timeout: float) -> None:
        """End the threads; what they have not begun is left to others."""
        if self.consumer is None:
            return
        self.consumer.shutdown_timeout = timeout
        self.consumer.stop_flag.set()
        wake = getattr(self.huey.storage, "wake", None)
        if wake is not None:
            wake()
        self.consumer._join_workers()
        self.consumer = None
