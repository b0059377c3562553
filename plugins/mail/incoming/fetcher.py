"""The fetcher: one thread in one of all processes (a lease, no lock file) that empties the inbox."""

from __future__ import annotations

import logging
import threading
import time

from atrio.kernel.host import Kernel

from ..adapters.inbox import Inbox
from ..config import MailConfig
from .handle import FAILED, TAKEN, Verdict, take, too_large
from .parse import HEADER_BYTES

log = logging.getLogger("atrio.mail")
PAUSES = (1, 5, 15, 60)
"""Seconds before a connection that failed is tried again."""
TURN_SECONDS = 1.0
"""How long a wait lasts before it looks whether it is to end."""


def open_inbox(settings: MailConfig) -> Inbox:
    """Return the inbox of the config, not yet connected."""
    if settings.incoming == "imap":
        from ..adapters.imap import ImapInbox

        return ImapInbox(settings)
    from ..adapters.maildir import MaildirInbox

    return MaildirInbox(settings)


def empty(kernel: Kernel, inbox: Inbox, stop: threading.Event | None = None) -> dict[str, int]:
    """Handle what lies in an open inbox; returns counts by verdict. What is to be tried again stays there."""
    counts: dict[str, int] = {}
    for mail in inbox.arrived():
        if stop is not None and stop.is_set():
            break
        if mail.size > kernel.config[MailConfig].max_bytes:
            verdict: Verdict = too_large(kernel, inbox.read(mail, HEADER_BYTES), mail.size)
        else:
            verdict = take(kernel, inbox.read(mail))
        counts[verdict.state] = counts.get(verdict.state, 0) + 1
        if not verdict.again:
            inbox.put_away(mail, taken=verdict.state == TAKEN)
        if verdict.state == FAILED:
            log.error("a mail lies in %s: %s", kernel.config[MailConfig].refused_folder, verdict.reason)
    return counts


class Fetcher(threading.Thread):
    """Empties the inbox whenever something arrives, and connects anew when the connection breaks."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(name="mail-fetcher", daemon=True)
        self.kernel = kernel
        self.settings = kernel.config[MailConfig]
        self.ending = threading.Event()
        self.faults = 0

    def run(self) -> None:
        """Work until `end`."""
        try:
            while not self.ending.is_set():
                inbox = open_inbox(self.settings)
                try:
                    self._work(inbox)
                except Exception as error:  # noqa: BLE001 - whatever it is, the connection is opened anew
                    self._failed(error)
                finally:
                    inbox.close()
        finally:
            self.kernel.db.close_thread()

    def _work(self, inbox: Inbox) -> None:
        inbox.open()
        log.info("replies are fetched (%s)", "told of by the server" if inbox.waits else "looked for")
        while not self.ending.is_set():
            counts = empty(self.kernel, inbox, self.ending)
            self.faults = 0
            if counts:
                log.info("mail: %s", ", ".join(f"{n} {state}" for state, n in sorted(counts.items())))
            if set(counts) - {"trying"}:
                continue  # what arrived meanwhile was told between other answers: look again before waiting
            self._wait(inbox, again=bool(counts))

    def _wait(self, inbox: Inbox, *, again: bool) -> None:
        """Wait until something arrives; where nobody tells, or one is to be tried again, for a while."""
        end = time.monotonic() + self.settings.poll_seconds
        if not inbox.waits:
            self.ending.wait(self.settings.poll_seconds)
            return
        while not self.ending.is_set() and not inbox.wait(TURN_SECONDS):
            if again and time.monotonic() > end:
                return

    def _failed(self, error: Exception) -> None:
        pause = PAUSES[min(self.faults, len(PAUSES) - 1)]
        self.faults += 1
        if not self.ending.is_set():
            log.warning("the inbox cannot be read, again in %d s: %s: %s", pause, type(error).__name__, error)
            self.ending.wait(pause)

    def end(self) -> None:
        """Stop, within seconds."""
        self.ending.set()
        self.join(4.0)
