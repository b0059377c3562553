"""Who has a stream in this process: counts in memory, noted in the event loop, read by the keeper's thread."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from typing import TYPE_CHECKING

from .config import PresenceConfig

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

ADMITTED_SECONDS = 10.0
"""How long the place of a user who was let in waits for his stream."""


class Roll:
    """The users of this process. Nothing here waits for anything but a few instructions of another thread."""

    def __init__(self, kernel: Kernel) -> None:
        self.process = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.wake = threading.Event()
        self._patience = kernel.config[PresenceConfig].offline_seconds
        self._lock = threading.Lock()
        self._streams: dict[int, int] = {}
        self._leaving: dict[int, float] = {}
        self._admitted: set[int] = set()
        self._poked = False

    def opened(self, user_id: int) -> None:
        """Note one more stream of a user."""
        with self._lock:
            self._streams[user_id] = self._streams.get(user_id, 0) + 1
            self._leaving.pop(user_id, None)
        self.wake.set()

    def closed(self, user_id: int) -> None:
        """Note one stream less; after the last one the user has some seconds to come again."""
        with self._lock:
            left = self._streams.get(user_id, 0) - 1
            if left > 0:
                self._streams[user_id] = left
                return
            self._streams.pop(user_id, None)
            self._leaving[user_id] = time.monotonic() + self._patience
        self.wake.set()

    def admitted(self, user_id: int) -> None:
        """Expect a stream of a user whose row is about to be written: keep it until then."""
        with self._lock:
            self._admitted.add(user_id)
            if user_id not in self._streams:
                until = time.monotonic() + ADMITTED_SECONDS
                self._leaving[user_id] = max(until, self._leaving.get(user_id, until))
        self.wake.set()

    def take_admitted(self) -> set[int]:
        """Return the users who were let in since the last call, and so may have a row."""
        with self._lock:
            admitted, self._admitted = self._admitted, set()
        return admitted

    def poke(self) -> None:
        """Have the keeper look at once who is shown: somebody hides, or no longer does."""
        self._poked = True
        self.wake.set()

    def take_poke(self) -> bool:
        """Tell whether somebody poked since the last call."""
        poked, self._poked = self._poked, False
        return poked

    def here(self) -> set[int]:
        """Return the users who are online in this process: with a stream, or for a moment without."""
        now = time.monotonic()
        with self._lock:
            for user_id in [u for u, until in self._leaving.items() if until <= now]:
                del self._leaving[user_id]
            return {*self._streams, *self._leaving}

    def listening(self) -> set[int]:
        """Return the users who have a stream in this process."""
        with self._lock:
            return set(self._streams)

    def next_leave(self) -> float | None:
        """Return when (`time.monotonic`) the next user is offline unless he comes again."""
        with self._lock:
            return min(self._leaving.values(), default=None)


def roll_of(kernel: Kernel) -> Roll:
    """Return the roll of an instance in this process."""
    return kernel.part("presence.roll", lambda: Roll(kernel))
