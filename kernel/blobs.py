"""Stored bytes: content-addressed files, written to a temporary file first and kept by a committed row.

A blob is named by the SHA-256 of its bytes, so equal files are stored once. The file is in place before the
row that names it commits; a crash in between leaves a file without a row, which the sweep removes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from .db.base import Base, Timestamp, exact

if TYPE_CHECKING:
    from .context import Context

BLOCK = 1024 * 1024
AHEAD = 16 * 1024 * 1024
"""How many bytes gather before the system is asked to begin writing them to the disk."""
PARTS = 512
"""How many pieces are written at once: below the IOV_MAX of every system."""


class Blob(Base):
    """A blob whose bytes are in the store; `created` is when they were stored last, the first time or again."""

    __tablename__ = "kernel_blob"

    digest: Mapped[str] = mapped_column(exact(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(Timestamp)


FRESHEN = (
    update(Blob)
    .where(Blob.digest == bindparam("named", type_=exact(64)))
    .values(created=bindparam("now", type_=BigInteger))
)


class TemporaryBlob:
    """Bytes on their way in: hashed and counted while they are written.

    `checked` once the plugins that look at files have seen it, or where the server made it itself.
    """

    def __init__(self, path: Path, *, ahead: bool = False) -> None:
        self.path = path
        self.size = 0
        self.checked = False
        self._ahead = ahead and hasattr(os, "posix_fadvise")
        self._begun = 0
        self.head = b""
        self._hash = hashlib.sha256()
        self._file: FileIO | None = path.open("xb", buffering=0)

    @classmethod
    def finished(cls, path: Path, hashed: Any = None) -> TemporaryBlob:
        """Return the blob of a file whose bytes are all there; they are read unless their hash is given."""
        made = cls.__new__(cls)
        made.path, made._ahead, made._begun, made._file, made.checked = path, False, 0, None, False
        with path.open("rb") as file:
            made.head = file.read(8192)
            if hashed is None:
                file.seek(0)
                hashed = hashlib.file_digest(file, "sha256")
        made._hash, made.size = hashed, path.stat().st_size
        return made

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written, in hex."""
        return self._hash.hexdigest()

    def write(self, *parts: bytes) -> None:
        """Append bytes, given in one piece or in several that need not be joined for it."""
        assert self._file is not None
        for data in parts:
            if len(self.head) < 8192:
                self.head += data[: 8192 - len(self.head)]
            self._hash.update(data)
            self.size += len(data)
        _write_whole(self._file.fileno(), parts)
        if self._ahead and self.size - self._begun >= AHEAD:
            # Begins to write to the disk and does not wait, so that little is left for the end.
            os.posix_fadvise(self._file.fileno(), self._begun, self.size - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self.size

    def close(self, *, fsync: bool) -> None:
        """Finish writing; with `fsync` wait until the bytes are on the disk."""
        if self._file is not None:
            if fsync:
                os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Delete the temporary file; harmless when it was kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self.path.unlink(missing_ok=True)


class BlobStore:
    """The local folder of blobs."""

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        self.root = root
        self.fsync = fsync
        self.incoming = root / "incoming"

    def prepare(self) -> None:
        """Make the folders."""
        self.incoming.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Return where the blob lies."""
        return self.root / digest[:2] / digest[2:4] / digest

    def begin(self) -> TemporaryBlob:
        """Start a new blob."""
        self.prepare()
        return TemporaryBlob(self.incoming / secrets.token_hex(16), ahead=self.fsync)

    def take(self, source: Path, progress: Callable[[int], None] | None = None) -> TemporaryBlob:
        """Copy a file of the disk into a temporary blob, block by block."""
        blob = self.begin()
        try:
            with source.open("rb") as file:
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

    def keep(self, ctx: Context, blob: TemporaryBlob) -> str:
        """Put a finished blob in its place and write its row in this unit; returns the digest."""
        blob.close(fsync=self.fsync)
        if not blob.checked:  # doors ask before they open the unit; nothing comes in unseen all the same
            ctx.kernel.check_received(blob)
        digest = blob.digest
        target = self.path(digest)
        # Not only looked at: whoever collects unused blobs waits for this unit, or is seen to have been first.
        fresh: Any = ctx.execute(FRESHEN, {"named": digest, "now": ctx.now})
        known = fresh.rowcount == 1
        if known and target.exists():  # the sweep leaves alone what has a row
            blob.discard()
            return digest
        # Its own file even where equal bytes lie already without a row: it is young, so the sweep leaves it
        # alone until this unit has committed.
        target.parent.mkdir(parents=True, exist_ok=True)
        if blob.path.exists() or not target.exists():  # a unit that is tried again has moved it already
            blob.path.replace(target)
            if self.fsync:
                _sync_folder(target.parent)
        if not known:
            try:
                with ctx.savepoint():
                    ctx.execute(insert(Blob).values(digest=digest, size=blob.size, created=ctx.now))
            except IntegrityError:
                pass  # another unit stored the same bytes at this moment
        return digest

    def sweep(self, is_known: Callable[[Iterable[str]], set[str]], *, older_than_seconds: int = 86400) -> int:
        """Delete old temporary files and old files without a row; returns how many."""
        limit = time.time() - older_than_seconds
        removed = 0
        self._put_back(is_known)
        old = [p for p in self.root.glob("??/??/*") if _is_older(p, limit)]
        for start in range(0, len(old), 500):
            chunk = old[start : start + 500]
            known = is_known(p.name for p in chunk)
            for path in chunk:
                if path.name not in known:
                    removed += self._remove(path, limit)
        for path in self.incoming.glob("*"):
            if _is_older(path, limit):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _put_back(self, is_known: Callable[[Iterable[str]], set[str]]) -> None:
        """Put back what a sweep that died had in its hand."""
        held = {p.name.removeprefix("doomed-"): p for p in self.incoming.glob("doomed-*")}
        for name in is_known(held) if held else ():
            held[name].replace(self.path(name))

    def _remove(self, path: Path, limit: float) -> bool:
        """Delete an old file without a row; one that `keep` put there meanwhile is put back."""
        doomed = self.incoming / f"doomed-{path.name}"
        try:
            path.replace(doomed)
        except FileNotFoundError:
            return False
        if doomed.stat().st_mtime >= limit:
            doomed.replace(path)
            return False
        doomed.unlink()
        return True


def _write_whole(handle: int, parts: Sequence[bytes]) -> None:
    """Write all of it; the system may take a part at a time."""
    left = [memoryview(part) for part in parts if part]
    while left:
        written = os.writev(handle, left[:PARTS])
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


def _is_older(path: Path, limit: float) -> bool:
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
