"""Reads an object as if it were a file: in requests for ranges, so that a slow reader holds no connection."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

if TYPE_CHECKING:
    from .adapters.objects import Objects

FIRST = 512 * 1024
LARGEST = 1024 * 1024
"""How much is asked for at once, and so held for each client that reads; who asks for more gets it at once."""

NOTHING = memoryview(b"")


class RemoteFile(io.RawIOBase):
    """An object that is open for reading. FileNotFoundError comes with the first read, or with the size."""

    def __init__(self, objects: Objects, key: str) -> None:
        self.key = key
        self._objects = objects
        self._size: int | None = None
        self._at = 0
        self._held = NOTHING
        self._begins = 0
        self._window = FIRST

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that any place can be read."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; only from the end is anything asked."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        self._at = max(0, offset + (self.length if base is None else base))
        return self._at

    @property
    def length(self) -> int:
        """The size of the object."""
        if self._size is None:
            found = self._objects.head(self.key)
            if found is None:
                raise FileNotFoundError(self.key)
            self._size = found.size
        return self._size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return some bytes, at most `size`; all that are left where it is negative, b"" at the end."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self._next(4 * LARGEST), b""))
        return self._next(size) if size else b""

    def _next(self, size: int) -> bytes:
        begin = self._at - self._begins
        if not 0 <= begin < len(self._held):
            if self._size is not None and self._at >= self._size:
                return b""
            goes_on = self._held and begin == len(self._held)
            self._window = min(self._window * 2, LARGEST) if goes_on else FIRST
            self._held = NOTHING  # not two blocks in memory
            self._held, self._size = self._objects.read(self.key, self._at, max(size, self._window))
            self._begins, begin = self._at, 0
        block = self._held[begin : begin + size].tobytes()
        self._at += len(block)
        return block

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer as far as one block goes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        block = self.read(len(view))
        view[: len(block)] = block
        return len(block)


class RemoteSource:
    """An object that can be opened later."""

    def __init__(self, objects: Objects, key: str) -> None:
        self.name = key
        self._objects = objects

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Open the object; nothing is asked yet."""
        return cast(BinaryIO, RemoteFile(self._objects, self.name))
