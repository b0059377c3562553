"""The bytes of an upload on their way into its file: one writer at a time, and what came stays.

The file is its own record: its size is the offset. A writer holds an exclusive lock of the system on it, which
ends with the process whatever happens to that, and holds between processes as well. Bytes that are to be held
against a checksum do not count before they were: a note beside the file says where they begin.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from atrio.kernel.blobs import BLOCK, BlobStore, TemporaryBlob
from atrio.kernel.blobs.temporary import room
from atrio.kernel.config import StorageConfig
from atrio.kernel.errors import BodyTooLarge, UnsupportedMediaType

from .errors import ChecksumMismatch, UploadLocked, UploadNotFound, WrongOffset

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

    from .protocol import Checksum

ATTEMPTS = 3
REMEMBERED = 1000
"""How many unfinished uploads a process keeps the running hash of; the others are read again at their end."""


class Hashes:
    """The SHA-256 of what came of unfinished uploads, with the number of bytes it is of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, Any]] = OrderedDict()
        self._lock = Lock()

    def take(self, token: str, size: int) -> Any:
        """Return the hash of exactly so many bytes, None where there is none."""
        with self._lock:
            known, hashed = self._kept.pop(token, (-1, None))
        return hashed if known == size else None

    def put(self, token: str, size: int, hashed: Any) -> None:
        """Keep a hash for the next piece."""
        with self._lock:
            self._kept[token] = (size, hashed)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


@dataclass(frozen=True)
class Shelf:
    """Where the files of uploads lie. No other part of the server touches this folder."""

    folder: Path
    store: BlobStore
    hashes: Hashes

    def path(self, token: str) -> Path:
        """Return the file of an upload."""
        return self.folder / token

    def note(self, token: str) -> Path:
        """Return the note that says from where bytes are not checked yet."""
        return self.folder / f"{token}.checked"

    def bell(self, token: str) -> Path:
        """Return the note by which somebody asks the one who writes to end, if he only waits."""
        return self.folder / f"{token}.wanted"

    def offset(self, token: str) -> int | None:
        """Return how many bytes came and count, None where the file is gone."""
        try:
            size = self.path(token).stat().st_size
            return min(size, int(self.note(token).read_text("ascii") or size))
        except FileNotFoundError:
            try:
                return self.path(token).stat().st_size
            except FileNotFoundError:
                return None

    def touched(self, token: str) -> int:
        """Return when the last byte came, in microseconds; 0 where the file is gone."""
        try:
            return self.path(token).stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return 0

    def remove(self, token: str) -> None:
        """Delete what came of an upload."""
        self.path(token).unlink(missing_ok=True)
        self.note(token).unlink(missing_ok=True)
        self.bell(token).unlink(missing_ok=True)
        self.hashes.take(token, 0)


def shelf_of(kernel: Kernel) -> Shelf:
    """Return the shelf of an instance."""

    def make() -> Shelf:
        folder = kernel.config[StorageConfig].data_dir / "resumable"
        folder.mkdir(parents=True, exist_ok=True)
        return Shelf(folder, kernel.blobs, Hashes())

    return kernel.part("resumable.shelf", make)


class Arrival:
    """One request that brings bytes of an upload, or none and only looks where it stands.

    `start` is the offset that the client names, None where it asks for it. A `fresh` upload has no file yet and
    leaves none unless it was kept. What takes no bytes (`takes` False) refuses a body.
    """

    def __init__(
        self, shelf: Shelf, token: str, length: int, *, start: int | None = None, fresh: bool = False,
        takes: bool = True, checksum: Checksum | None = None,
    ) -> None:  # fmt: skip
        self.shelf = shelf
        self.token = token
        self.length = length
        self.start = start
        self.fresh = fresh
        self.takes = takes
        self.checksum = checksum
        self.offset = 0
        self.kept = False
        self.blob: TemporaryBlob | None = None
        self._file: FileIO | None = None
        self._locked = False
        self._running: Any = None
        self._checking: Any = None

    @property
    def complete(self) -> bool:
        """True when every byte is there."""
        return self.offset == self.length

    def open(self) -> None:
        """Lock the file and go to its end; 404 when it is gone, 423 while another writes, 409 elsewhere."""
        path = self.shelf.path(self.token)
        try:
            self._file = path.open("xb" if self.fresh else "r+b", buffering=0)
        except FileNotFoundError:
            raise UploadNotFound from None
        if not self.takes and not self.fresh:
            self._look()
            return
        self._take_lock(fcntl.LOCK_EX)
        self.shelf.bell(self.token).unlink(missing_ok=True)
        self.offset = self._drop_unchecked()
        if self.start is not None and self.start != self.offset:
            raise WrongOffset(headers=[("upload-offset", str(self.offset))])
        self._file.seek(self.offset)
        self._running = self.shelf.hashes.take(self.token, self.offset)
        if self._running is None and self.offset == 0:
            self._running = _sha256()
        if self.checksum is not None:
            self.start = self.offset
            self._checking = self.checksum.begin()
            self.shelf.note(self.token).write_text(str(self.offset), "ascii")

    def _look(self) -> None:
        """See how far it is with nobody writing; the lock is kept only where the upload can be finished."""
        self._take_lock(fcntl.LOCK_SH)
        offset = self.shelf.offset(self.token)
        if offset is None:
            raise UploadNotFound
        self.offset = offset
        if self.complete:
            self._take_lock(fcntl.LOCK_EX)
            self._running = self.shelf.hashes.take(self.token, offset)
        else:
            self._let_go()

    def _take_lock(self, kind: int) -> None:
        assert self._file is not None
        for attempt in range(ATTEMPTS):
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
                self._locked = True
                break
            except BlockingIOError:
                if attempt == ATTEMPTS - 1:
                    self.shelf.bell(self.token).touch()
                    raise UploadLocked(headers=[("retry-after", "1")]) from None
                time.sleep(0.005)  # somebody who only looks is gone by then
        if not self.shelf.path(self.token).exists():  # it was finished or removed at this moment
            raise UploadNotFound

    def waits(self) -> bool:
        """Give way to who asks for the upload: this connection brought nothing for a while, and may be dead."""
        return not self.shelf.bell(self.token).exists()

    def _let_go(self) -> None:
        if self._file is not None:
            if self._locked:
                self.shelf.bell(self.token).unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _drop_unchecked(self) -> int:
        """Throw away what a process that died had not held against its checksum; returns the size."""
        assert self._file is not None
        size = os.fstat(self._file.fileno()).st_size
        note = self.shelf.note(self.token)
        try:
            checked = int(note.read_text("ascii") or size)
        except FileNotFoundError:
            return size
        if checked < size:
            self._file.truncate(checked)
        note.unlink()
        return min(size, checked)

    def write(self, *parts: bytes) -> None:
        """Append bytes; 413 beyond the announced length."""
        if not any(parts):
            return
        if not self.takes:
            raise UnsupportedMediaType
        if self.offset + sum(map(len, parts)) > self.length:
            raise BodyTooLarge(f"the upload was announced with {self.length} bytes")
        assert self._file is not None
        running, self._running = self._running, None
        for data in parts:
            left = memoryview(data)
            with room():
                while left:
                    written = self._file.write(left) or 0
                    self.offset += written
                    left = left[written:]
            if running is not None:
                running.update(data)
            if self._checking is not None:
                self._checking.update(data)
        self._running = running  # a write that failed half-way leaves none

    def close(self, *, whole: bool) -> bool:
        """Bring the bytes to the disk; those that are not what their checksum says are thrown away (460)."""
        if self._file is None:  # who only looked
            return False
        mismatch = False
        if self._checking is not None:
            assert self.checksum is not None
            right = self._checking.digest() == self.checksum.digest
            mismatch = whole and not right
            if not (whole and right):
                assert self.start is not None
                self._file.truncate(self.start)
                self.offset, self._running = self.start, None
        if self.shelf.store.fsync:
            os.fsync(self._file.fileno())
        if self._checking is not None:
            self.shelf.note(self.token).unlink(missing_ok=True)
        if mismatch:
            raise ChecksumMismatch
        if self.complete:
            try:
                self.blob = self.shelf.store.adopt(self.shelf.path(self.token), self._running)
            except FileNotFoundError:
                raise UploadNotFound from None
        elif self._running is not None:
            self.shelf.hashes.put(self.token, self.offset, self._running)
        return self.complete

    def discard(self) -> None:
        """Give the lock back; the file stays unless nobody knows of it."""
        if self.blob is not None:
            self.blob.discard()
        if self.fresh and not self.kept and self._file is not None:
            self.shelf.remove(self.token)
        self._let_go()


class Joined(Arrival):
    """An upload that is put together of parts that are all there; it takes no bytes of its own."""

    def __init__(self, shelf: Shelf, token: str, length: int, parts: Sequence[str]) -> None:
        super().__init__(shelf, token, length, fresh=True, takes=False)
        self.parts = parts

    def open(self) -> None:
        """Copy the parts behind each other; 404 or 409 where one is gone or not what it was."""
        super().open()
        assert self._file is not None
        for part in self.parts:
            try:
                with self.shelf.path(part).open("rb") as source:
                    while block := source.read(BLOCK):
                        self.offset += len(block)
                        self._running.update(block)
                        left = memoryview(block)
                        while left:
                            left = left[self._file.write(left) or 0 :]
            except FileNotFoundError:
                raise UploadNotFound from None
        if not self.complete:
            raise WrongOffset("a part is not whole")


def _sha256() -> Any:
    import hashlib

    return hashlib.sha256()
