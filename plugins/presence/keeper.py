"""The thread that keeps the rows of this process in step with its streams, and tells who came and left."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from . import queries, services
from .config import PresenceConfig
from .roll import roll_of
from .watch import Watch

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

log = logging.getLogger("atrio.presence")

GATHER_SECONDS = 0.02
"""How long a change waits for others that are written with it."""
LOOK_SECONDS = 2.0
"""How often changes of other processes are looked for."""
OWN_LOOK_SECONDS = 0.1
"""How soon after one look a change of this process may cause the next."""
RETRY_SECONDS = 1.0
PAUSE_SECONDS = 60.0
STOP_SECONDS = 3.0


class Keeper:
    """One thread; each turn compares what should be in the table with what was written."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.roll = roll_of(kernel)
        self.watch = Watch(kernel)
        self.settings = kernel.config[PresenceConfig]
        self._written: set[int] = set()
        self._admitted: set[int] = set()
        self._renew_at = 0.0
        self._look_at = 0.0
        self._looked = 0.0
        self._again = self.settings.visible  # the first look comes before the first stream
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and take the users of this process off."""
        self._stop.set()
        self.roll.wake.set()
        self._thread.join(STOP_SECONDS)

    def turn(self) -> None:
        """Write what changed, renew when it is time, tell what is to be told."""
        self._again = False
        self._admitted |= self.roll.take_admitted()
        here = self.roll.here()
        changed = self._keep(here)
        self._admitted.clear()
        if here and time.monotonic() >= self._renew_at:
            self._renew()
        if self.settings.visible:
            self._look(soon=self.roll.take_poke() or changed)

    def _keep(self, here: set[int]) -> bool:
        came, left = here - self._written, (self._written | self._admitted) - here
        if not came and not left:
            return False
        self.kernel.run(lambda ctx: services.keep_users(ctx, came, left))
        if not self._written:
            self._renew_at = time.monotonic() + self._pace()
        self._written = here
        return True

    def _renew(self) -> None:
        """Renew; rows that another process took for dead, or that nobody knows, are put right in the next turn."""
        renewed = self.kernel.run(services.renew_users)
        self._renew_at = time.monotonic() + self._pace()
        if renewed != len(self._written):
            process = self.roll.process
            self._written = self.kernel.run(lambda ctx: queries.users_of(ctx, process), writes=False)
            self._again = True

    def _pace(self) -> float:
        return self.settings.lease_seconds / 3

    def _look(self, *, soon: bool) -> None:
        if soon:
            self._look_at = min(self._look_at, self._looked + OWN_LOOK_SECONDS)
        now = time.monotonic()
        if now >= self._look_at:
            self.watch.look(self.roll.listening())
            self._looked, self._look_at = now, now + LOOK_SECONDS

    def _pause(self) -> float:
        """Return how long nothing is to be done unless somebody wakes the thread."""
        if self._again:
            return 0
        now = time.monotonic()
        due = [now + PAUSE_SECONDS]
        leave = self.roll.next_leave()
        if leave is not None:
            due.append(leave)
        if self._written:
            due.append(self._renew_at)
        if self.settings.visible:
            due.append(self._look_at)
        return max(0.0, min(due) - now)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self.roll.wake.wait(self._pause()):
                self._stop.wait(GATHER_SECONDS)
            self.roll.wake.clear()
            if self._stop.is_set():
                break
            try:
                self.turn()
                self._failing = False
            except Exception:
                log.warning("who is online cannot be written; tried again", exc_info=not self._failing)
                self._failing = True
                self._again = True
                self._stop.wait(RETRY_SECONDS)
        self._end()

    def _end(self) -> None:
        try:
            if self._written or self.roll.here():
                self.kernel.run(services.forget_process)
        except Exception:
            log.warning("the users of this process stay online until their rows expire", exc_info=True)
        self.kernel.db.close_thread()


def start(kernel: Kernel) -> Keeper:
    """Start the keeper of this process."""
    keeper = Keeper(kernel)
    keeper.start()
    return keeper


def stop(keeper: Keeper) -> None:
    """Stop it."""
    keeper.stop()
