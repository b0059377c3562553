"""Bytes on their way in, in a file of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from ..errors import DiskFull, full_disk

AHEAD = 16 * 1024 * 1024
"""How many bytes gather before the system is asked to begin writing them to the disk."""
PARTS = 512
"""How many pieces are written at once: below the IOV_MAX of every system."""


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Tell a disk that has no room left by DiskFull."""
    try:
        yield
    except OSError as error:
        if full_disk(error):
            raise DiskFull from error
        raise


class TemporaryBlob:
    """Bytes on their way in: hashed and counted while they are written.

    Up to `hold` bytes stay in memory until something asks for the file. `stored_at` is when a store that is
    elsewhere was given them, in seconds of the monotonic clock; `checked` once the plugins that look at files have
    seen them, or where the server made them itself.
    """

    def __init__(self, path: Path, *, ahead: bool = False, hold: int = 0) -> None:
        self._path = path
        self.size = 0
        self.checked = False
        self._ahead = ahead and hasattr(os, "posix_fadvise")
        self._begun = 0
        self.head = b""
        self.stored_at: float | None = None
        self._hash = hashlib.sha256()
        self._hold = hold
        self._held: list[bytes] | None = [] if hold else None
        self._file: FileIO | None = None
        if not hold:
            self._open()

    def _open(self) -> FileIO:
        with room():
            try:
                self._file = self._path.open("xb", buffering=0)
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("xb", buffering=0)
        return self._file

    @property
    def path(self) -> Path:
        """Where the file is; bytes that are in memory are written to it first."""
        self._spill()
        return self._path

    @property
    def held(self) -> bool:
        """Tell whether the bytes are in memory alone."""
        return self._held is not None

    @property
    def present(self) -> bool:
        """Tell whether the bytes are still here, and not moved to a store or discarded."""
        return self._held is not None or self._path.exists()

    @classmethod
    def finished(cls, path: Path, hashed: Any = None) -> TemporaryBlob:
        """Return the blob of a file whose bytes are all there; they are read unless their hash is given."""
        made = cls.__new__(cls)
        made._path, made._ahead, made._begun, made._file, made.checked = path, False, 0, None, False
        made._hold, made._held = 0, None
        made.stored_at = None
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
        for data in parts:
            if len(self.head) < 8192:
                self.head += data[: 8192 - len(self.head)]
            self._hash.update(data)
            self.size += len(data)
        if self._held is not None:
            self._held += parts
            if self.size > self._hold:
                self._spill()
            return
        assert self._file is not None
        with room():
            _write_whole(self._file.fileno(), parts)
        if self._ahead and self.size - self._begun >= AHEAD:
            # Begins to write to the disk and does not wait, so that little is left for the end.
            os.posix_fadvise(self._file.fileno(), self._begun, self.size - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self.size

    def _spill(self) -> None:
        """Write what is in memory to the file."""
        if self._held is None:
            return
        file = self._open()
        held, self._held = self._held, None  # from here there is a file that may have to go
        with room():
            _write_whole(file.fileno(), held)

    def land(self, *, fsync: bool) -> None:
        """Finish writing, and see to it that the bytes are in the file; with `fsync` on the disk."""
        self._spill()
        self.close(fsync=fsync)

    def close(self, *, fsync: bool) -> None:
        """Finish writing; with `fsync` wait until the bytes are on the disk. What is in memory stays there."""
        if self._file is not None:
            if fsync:
                with room():
                    os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Delete the temporary file; harmless when it was kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._held is not None:
            self._held = None
        else:
            self._path.unlink(missing_ok=True)


def _write_whole(handle: int, parts: Sequence[bytes]) -> None:
    """Write all of it; the system may take a part at a time."""
    left = [memoryview(part) for part in parts if part]
    while left:
        written = os.writev(handle, left[:PARTS])
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]
