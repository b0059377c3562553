"""The threads that wait for builders, and what is asked for at this moment: one builder for all who ask."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Busy(Exception):
    """As many previews wait as may."""


class Workshop:
    """A few threads of one process; each waits for one child at a time."""

    def __init__(self, seats: int, limit: int) -> None:
        self.seats = seats
        self.limit = limit
        self._asked: dict[str, Future[Any]] = {}
        self._queue: queue.SimpleQueue[tuple[str, Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._closed = False

    def ask(self, name: str, build: Callable[[], Any]) -> Future[Any]:
        """Return what will be built under this name, by this call unless it is asked for already."""
        with self._lock:
            asked = self._asked.get(name)
            if asked is not None:
                return asked
            if self._closed or len(self._asked) >= self.limit:
                raise Busy
            future: Future[Any] = Future()
            self._asked[name] = future
            if self._started < min(self.seats, len(self._asked)):
                self._started += 1
                threading.Thread(target=self._work, name=f"preview-{self._started}", daemon=True).start()
        self._queue.put((name, build, future))
        return future

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            name, build, future = job
            try:
                result, error = build(), None
            except BaseException as caught:  # noqa: BLE001 - whatever it is, those who wait are told
                result, error = None, caught
            with self._lock:
                del self._asked[name]
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

    def close(self) -> None:
        """Take no more; what waits is given up, what runs ends by its limits."""
        with self._lock:
            self._closed = True
            started = self._started
        while True:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                job[2].cancel()
        for _ in range(started):
            self._queue.put(None)
