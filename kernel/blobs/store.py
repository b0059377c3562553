"""What every store of bytes can do, wherever it is.

Temporary blobs are files of this machine. The bytes are in the store before the row that names them commits; a
crash in between leaves bytes without a row, which the sweep removes.
"""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

from ..jobs import SECOND
from .rows import freshen, write_row
from .temporary import TemporaryBlob

if TYPE_CHECKING:
    from ..context import Context

BLOCK = 1024 * 1024
Known = Callable[[Iterable[str]], set[str]]
"""Tells which of some digests have a row."""


class Source(Protocol):
    """Bytes that can be opened when they are wanted: a path of the disk is one."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Open the bytes; what is returned can seek."""


@dataclass(frozen=True)
class Stored:
    """Bytes that a store holds; `modified` is in seconds since the epoch."""

    digest: str
    size: int
    modified: float


class BlobStore(ABC):
    """A store of blobs, each named by the SHA-256 of its bytes, so that equal files are stored once.

    `remote` tells whether its bytes travel; `threads` is how many of a process read and write files, `senders` how
    many send them; `claim_seconds` is after how long nobody can still be deleting what was claimed.
    """

    remote = False
    threads = 4
    senders = 8
    claim_seconds = 0

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        self.root = root
        self.fsync = fsync
        self.incoming = root / "incoming"

    # -- in ------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the folders."""
        self.incoming.mkdir(parents=True, exist_ok=True)

    def begin(self, *, hold: int = 0) -> TemporaryBlob:
        """Start a new blob, in a file of this machine; up to `hold` bytes wait for it in memory."""
        return TemporaryBlob(self.incoming / secrets.token_hex(16), ahead=self.fsync, hold=hold)

    def take(self, source: Path, progress: Callable[[int], None] | None = None) -> TemporaryBlob:
        """Copy a file of the disk into a temporary blob, block by block."""
        with source.open("rb") as file:
            return self.receive(file, progress)

    def receive(self, file: BinaryIO, progress: Callable[[int], None] | None = None) -> TemporaryBlob:
        """Copy what can be read from a file into a temporary blob, block by block."""
        blob = self.begin()
        try:
            while block := file.read(BLOCK):
                blob.write(block)
                if progress:
                    progress(len(block))
            blob.close(fsync=self.fsync)
        except BaseException:
            blob.discard()
            raise
        return blob

    def adopt(self, source: Path, hashed: Any = None) -> TemporaryBlob:
        """Return a temporary blob of a finished file of the same disk, as a second name for its bytes.

        The file stays and must not be written any more; where the disk knows no second names it is copied.
        `hashed` is the SHA-256 object of its bytes where the caller has it, else they are read.
        """
        self.prepare()
        target = self.incoming / secrets.token_hex(16)
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:
            return self.take(source)
        os.utime(target)  # young: the sweep leaves it alone until the unit that names it has committed
        return TemporaryBlob.finished(target, hashed)

    def upload(self, blob: TemporaryBlob, *, known: bool | None = None) -> None:  # noqa: B027 - see below
        """Bring the bytes of a finished blob to where the store is, while no unit of work is open.

        Nothing where they are on the spot. `keep` does without, but then they travel while its unit waits. `known`
        tells whether they have a row, where the caller has looked.
        """

    def keep(self, ctx: Context, blob: TemporaryBlob) -> str:
        """See to it that the bytes are in the store and write their row in this unit; returns the digest."""
        blob.close(fsync=self.fsync)
        if not blob.checked:  # doors ask before they open the unit; nothing comes in unseen all the same
            ctx.kernel.check_received(blob)
        digest = blob.digest
        known = freshen(ctx, digest)
        self._settle(blob, known=known)
        if not known and not write_row(ctx, digest, blob.size, dead_before=ctx.now - self.claim_seconds * SECOND):
            self._settle_again(blob)
        return digest

    @abstractmethod
    def put(self, blob: TemporaryBlob) -> None:
        """Put the bytes of a finished blob in their place, whether equal ones are there or not."""

    @abstractmethod
    def _settle(self, blob: TemporaryBlob, *, known: bool) -> None:
        """Make sure that the bytes are in their place; `known` where this unit has locked a row of them."""

    def _settle_again(self, blob: TemporaryBlob) -> None:  # noqa: B027 - most stores have nothing to do here
        """Make sure of it once more, after a claim on the bytes was overruled."""

    # -- out -----------------------------------------------------------------------------------------------

    @abstractmethod
    def source(self, digest: str) -> Source:
        """Return the bytes as something that can be opened later; asks nothing of the store."""

    def open(self, digest: str) -> BinaryIO:
        """Open the bytes for reading; FileNotFoundError, here or at the first read, when they are not there."""
        return self.source(digest).open("rb")

    @abstractmethod
    def local(self, digest: str) -> AbstractContextManager[Path]:
        """Give the path of a file of this machine with the bytes, for as long as the block lasts; not to write."""

    @abstractmethod
    def size(self, digest: str) -> int | None:
        """Return how many bytes the store holds under this name, None when it has no such blob."""

    # -- care ----------------------------------------------------------------------------------------------

    @abstractmethod
    def iterate(self) -> Iterator[Stored]:
        """Yield all that the store holds, in no order."""

    @abstractmethod
    def remove(self, digests: list[str]) -> None:
        """Delete blobs from a store that is no longer in use."""

    @abstractmethod
    def sweep(self, is_known: Known, *, older_than_seconds: int = 86400) -> int:
        """Delete old temporary files and old bytes without a row; returns how many."""

    def _empty_incoming(self, limit: float) -> int:
        """Delete the temporary files that are older than a moment; returns how many."""
        removed = 0
        for path in self.incoming.glob("*"):
            if is_older(path, limit):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def check(self) -> None:  # noqa: B027 - most stores have nothing to do here
        """Raise when the store cannot be used: BootError for good, BlobsUnavailable at present."""

    def close(self) -> None:  # noqa: B027 - most stores have nothing to do here
        """Let go of connections."""


def is_older(path: Path, limit: float) -> bool:
    """Tell whether a file was written before a moment, in seconds since the epoch."""
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return False
