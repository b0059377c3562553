"""Keeps a background service going in this process; a single one only while its lease is ours."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from .background import Background
from .jobs import release_single, take_single

if TYPE_CHECKING:
    from .host import Kernel
    from .plugins import PluginRecord

log = logging.getLogger("atrio.host")


class ServiceRunner:
    """Keeps one background service going; a single one only while its lease is ours."""

    def __init__(self, kernel: Kernel, record: PluginRecord, service: Background) -> None:
        self.kernel = kernel
        self.record = record
        self.service = service
        self.handle: Any = None
        self.started = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        if self.service.wanted is not None and not self.service.wanted(self.kernel):
            return
        if not self.service.single:
            self._start()
            return
        self._thread = threading.Thread(target=self._watch, name=f"lease-{self.service.name}", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        try:
            self.handle = self.service.start(self.kernel)
            self.started = True
        except Exception:
            log.exception("background service %s of %s cannot start", self.service.name, self.record.name)
            self.kernel.note_fault(self.record)

    def _watch(self) -> None:
        seconds = self.service.lease_seconds
        while not self._stop.is_set():
            try:
                ours = self.kernel.run(lambda ctx: take_single(ctx, self.service.name, seconds))
            except Exception:
                log.exception("the lease of %s cannot be taken", self.service.name)
                ours = False
            if ours and not self.started:
                self._start()
            elif not ours and self.started:
                self._end()
            self._stop.wait(seconds / 3)
        self._end()
        try:
            self.kernel.run(lambda ctx: release_single(ctx, self.service.name))
        except Exception:
            log.warning("the lease of %s was not given back", self.service.name)
        self.kernel.db.close_thread()

    def _end(self) -> None:
        if not self.started:
            return
        self.started = False
        try:
            self.service.stop(self.handle)
        except Exception:
            log.exception("background service %s did not stop cleanly", self.service.name)

    def end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(4.0)
        else:
            self._end()
