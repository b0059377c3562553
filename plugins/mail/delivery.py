"""Delivery: claimed mails are made and handed over, one after the other, over one connection.

The window that stays: when a process dies (or the connection breaks) after the server took a mail and before its
row says so, the mail goes out again, with the same Message-ID.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel
from atrio.kernel.jobs import SECOND
from atrio.plugins.accounts.api import mail_addressees
from atrio.plugins.spaces.api import mail_modes_among

from . import services
from .config import MailConfig, file_folder
from .facts import Facts, NothingToTell, facts_of, outsider
from .kinds import ACCESS_REQUEST, CONTENT, NONE, RESET, WELCOME
from .message import Envelope, Shared, UnusableAddress, build, shared
from .rendering import language_of, render
from .tags import signing_key
from .transport import InDoubt, Permanent, Temporary, Transport, Unreachable

log = logging.getLogger("atrio.mail")
BATCH = 50
LEASE_SECONDS = 900
"""How long a claim holds: a run, and the last mail of it in the hands of the slowest server that is borne."""
RUN_SECONDS = 60.0
BREAKS = 3
"""Connections that break one after the other before the server counts as away."""
BACKOFF_SECONDS = (60, 300, 900, 1800, 3600)
AWAY_SECONDS = (60, 120, 300, 600, 900)
RESET_SECONDS = 3600
"""Age after which a link for a new password is not sent any more: nobody waits for it."""
SHARED = frozenset({CONTENT, ACCESS_REQUEST})
"""Kinds whose text is the same for all receivers of a language."""


def open_transport(kernel: Kernel) -> Transport:
    """Return the transport of the config."""
    settings = kernel.config[MailConfig]
    if settings.transport == "smtp":
        from .adapters.smtp import SmtpTransport

        return SmtpTransport(settings)
    from .adapters.folder import FolderTransport

    return FolderTransport(file_folder(kernel.config))


@dataclass
class Gate:
    """One delivery at a time in a process: a server that stalls holds one job thread, never all."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    again: bool = False
    away_until: float = 0.0
    failures: int = 0


def deliver(kernel: Kernel) -> dict[str, int]:
    """Send what is due, for at most a minute; returns counts by outcome.

    While another thread of this process delivers, it is told to look once more. After the server was found away,
    nothing is tried for a while.
    """
    gate: Gate = kernel.part("mail.gate", Gate)
    total: dict[str, int] = {}
    if kernel.config[MailConfig].transport == "off":
        return total
    gate.again = True
    while gate.again and gate.lock.acquire(blocking=False):
        try:
            gate.again = False
            if time.monotonic() >= gate.away_until:
                _Run(kernel, gate, total).go()
        finally:
            gate.lock.release()
    return total


class _Run:
    """One delivery over one connection."""

    def __init__(self, kernel: Kernel, gate: Gate, total: dict[str, int]) -> None:
        self.kernel = kernel
        self.gate = gate
        self.total = total
        self.settings = kernel.config[MailConfig]
        self.transport: Transport | None = None
        self.words: dict[Any, tuple[Facts, Shared]] = {}
        self.key = b""
        self.breaks = 0

    def go(self) -> None:
        """Send batch after batch until nothing is due or the time is over."""
        end = time.monotonic() + RUN_SECONDS
        try:
            while time.monotonic() < end and not self.kernel.closing.is_set():
                rows = self.kernel.run(lambda ctx: services.claim(ctx, BATCH, LEASE_SECONDS))
                if not rows:
                    return
                if not self._send_all(rows, end):
                    return
        finally:
            if self.transport is not None:
                self.transport.close()

    def _send_all(self, rows: Sequence[Any], end: float) -> bool:
        """Send a batch; False when the server is away. What was not tried is put back."""
        left = list(rows)
        try:
            people = self._people(rows)
            while left:
                if time.monotonic() > end or self.kernel.closing.is_set():
                    self._write(lambda ctx: services.release(ctx, left, 0, "not tried: the time was over"))
                    return True
                self._send_one(left[0], people)
                left.pop(0)
                if self.breaks >= BREAKS:
                    raise Unreachable("the connection breaks at every mail, or the server stalls")
        except Unreachable as error:
            self._away(left, str(error))
            return False
        return True

    def _people(self, rows: Sequence[Any]) -> dict[int, Any]:
        """Return the addressees of a batch, by id, and beside each (space, id) what he wants of it."""

        def read(ctx: Context) -> dict[Any, Any]:
            self.key = self.key or signing_key(ctx)
            ids = {row.receiver for row in rows if row.receiver}
            found: dict[Any, Any] = dict(mail_addressees(ctx, ids))
            for space_id in {row.space_id for row in rows if row.space_id is not None}:
                here = [row.receiver for row in rows if row.space_id == space_id]
                for user_id, mode in mail_modes_among(ctx, space_id, here).items():
                    found[space_id, user_id] = mode
            return found

        return self.kernel.run(read)

    def _send_one(self, row: Any, people: dict[Any, Any]) -> None:
        """Make and send one mail, and note at once what became of it."""
        try:
            envelope = self._make(row, people)
        except NothingToTell as over:
            reason = str(over)
            self._end("skipped", lambda ctx: services.mark_skipped(ctx, row, reason))
            return
        except UnusableAddress as error:
            self._dead(row, str(error))
            return
        except Exception as error:
            log.exception("mail %d (%s) cannot be made", row.mail_id, row.kind)
            self._later(row, f"cannot be made: {type(error).__name__}: {error}")
            return
        if self.transport is None:
            self.transport = open_transport(self.kernel)
        try:
            self.transport.send(envelope)
        except Permanent as error:
            log.warning("mail %d (%s) was refused for good: %s", row.mail_id, row.kind, error)
            self._dead(row, str(error))
        except Temporary as error:
            self._later(row, str(error))
            self.breaks = self.breaks + 1 if isinstance(error, InDoubt) else 0
        else:
            self.gate.failures = self.breaks = 0
            self._end("sent", lambda ctx: services.mark_sent(ctx, row))

    def _make(self, row: Any, people: dict[Any, Any]) -> Envelope:
        if row.kind == RESET and self.kernel.clock.now() - row.created > RESET_SECONDS * SECOND:
            raise NothingToTell("too old: nobody waits for this link any more")
        addressee = people.get(row.receiver) if row.receiver else outsider(row)
        if addressee is None:
            raise NothingToTell("the account cannot get mail any more")
        if row.space_id is not None and people.get((row.space_id, row.receiver), NONE) == NONE:
            raise NothingToTell("the receiver left the space, or wants no mail of it")
        language = language_of(self.kernel, addressee.lang)
        facts, common = self._words(row, language)
        if facts.space_id is not None and row.space_id is not None and facts.space_id != row.space_id:
            raise NothingToTell("the content is in another space now")
        return build(self.kernel.config, self.key, row, addressee, facts, common)

    def _words(self, row: Any, language: str) -> tuple[Facts, Shared]:
        """Return what a mail tells, and its words encoded; made once for all receivers of a language."""
        mark = (row.kind, row.ref, bool(row.mentioned), language)
        if mark in self.words:
            return self.words[mark]
        writes = row.kind in (WELCOME, RESET)
        facts = self.kernel.run(lambda ctx: facts_of(ctx, row), writes=writes)
        values = {**facts.values, "mentioned": bool(row.mentioned)}
        words = render(self.kernel, row.kind, values, language)
        found = facts, shared(self.kernel.config, row.kind, facts, words, language)
        if row.kind in SHARED:
            if len(self.words) > 200:
                self.words.clear()
            self.words[mark] = found
        return found

    def _later(self, row: Any, reason: str) -> None:
        """Put a mail back, longer each time; after `give_up_hours` it is dead."""
        age = self.kernel.clock.now() - row.created
        if age > self.settings.give_up_hours * 3600 * SECOND:
            log.warning("mail %d (%s) is given up: %s", row.mail_id, row.kind, reason)
            self._dead(row, reason)
            return
        delay = BACKOFF_SECONDS[min(row.attempt, len(BACKOFF_SECONDS)) - 1]
        self._end("later", lambda ctx: services.mark_again(ctx, row, delay, reason))

    def _away(self, left: Sequence[Any], reason: str) -> None:
        """Put everything back and leave the server alone for a while; what is too old is dead."""
        delay = AWAY_SECONDS[min(self.gate.failures, len(AWAY_SECONDS) - 1)]
        self.gate.failures += 1
        self.gate.away_until = time.monotonic() + delay - 5
        log.warning("no mail leaves for %d s: %s", delay, reason)
        old = self.kernel.clock.now() - self.settings.give_up_hours * 3600 * SECOND
        self._write(lambda ctx: services.release(ctx, [r for r in left if r.created >= old], delay, reason))
        for row in left:
            if row.created < old:
                self._dead(row, reason)
        self.total["away"] = self.total.get("away", 0) + len(left)

    def _dead(self, row: Any, reason: str) -> None:
        self._end("dead", lambda ctx: services.mark_dead(ctx, row, reason))

    def _end(self, outcome: str, call: Callable[[Context], Any]) -> None:
        self._write(call)
        self.total[outcome] = self.total.get(outcome, 0) + 1

    def _write(self, call: Callable[[Context], Any]) -> None:
        self.kernel.run(call)
