"""What the fetcher reads from: a folder of mails, somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Arrived:
    """A mail that lies in the inbox; `place` belongs to the adapter."""

    place: Any
    size: int


class Inbox(Protocol):
    """An inbox; used by one thread. Whatever it raises means: close, wait, open again."""

    waits: bool

    def open(self) -> None:
        """Connect."""

    def arrived(self) -> Iterator[Arrived]:
        """Return what lies there, oldest first."""

    def read(self, mail: Arrived, limit: int | None = None) -> bytes:
        """Return a mail; with a limit at least its headers, up to so many bytes."""

    def put_away(self, mail: Arrived, *, taken: bool) -> None:
        """Move a mail that is over out of the inbox."""

    def wait(self, seconds: float) -> bool:
        """Wait until something may have arrived, at most so long; False where nothing tells of it."""

    def close(self) -> None:
        """Let go, whatever state it is in."""
