"""A zip file as it is sent: stored, its length known, its bytes read when they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from zipstream import ZipStream

from ..plan import Entry

Reader = Callable[[Entry], Iterator[bytes]]


class _Once:
    """Bytes of one entry that are not opened before they are wanted; an iterator that can be told from None."""

    def __init__(self, entry: Entry, read: Reader) -> None:
        self._entry = entry
        self._read = read

    def __iter__(self) -> Iterator[bytes]:
        return self._read(self._entry)


class Archive:
    """A zip file of some entries."""

    def __init__(self, entries: Iterable[Entry], read: Reader) -> None:
        self._zip = ZipStream(sized=True)
        for entry in entries:
            if entry.folder:
                self._zip.mkdir(entry.path)
            else:
                self._zip.add(_Once(entry, read), entry.path, size=entry.size)

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return len(self._zip)

    def blocks(self) -> Iterator[bytes]:
        """Give its bytes in order, once; a file that has another length than was said is an error."""
        return iter(self._zip)
