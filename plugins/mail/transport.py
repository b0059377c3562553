"""How mail leaves: the interface of the transports, and the failures that they tell apart."""

from __future__ import annotations

from typing import Protocol

from .message import Envelope


class Temporary(Exception):
    """This mail was not taken now (4xx, RFC 5321 §4.2.1); later it may be."""


class InDoubt(Temporary):
    """The connection broke after the mail was announced: it may have been taken or not; tried again as it is."""


class Permanent(Exception):
    """This mail will never be taken (5xx)."""


class Unreachable(Exception):
    """The server is away, stalls, or refuses us altogether: no other mail will fare better now."""


class Transport(Protocol):
    """Something that takes mails; used by one thread."""

    def send(self, envelope: Envelope) -> None:
        """Hand a mail over; returns when the other side has taken it. Temporary, Permanent, Unreachable."""

    def close(self) -> None:
        """Say goodbye."""
