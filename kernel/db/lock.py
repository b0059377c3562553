"""A lock for those who wait for a database."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A lock that is handed over in the order of arrival.

    threading.Lock lets a running thread overtake waiters; under 16 writers the unlucky one then waits for
    hundreds of milliseconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self) -> None:
        """Wait for the lock."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        ticket.acquire()

    def release(self) -> None:
        """Hand the lock to the next in the queue."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
