"""Text of what is a zip archive inside: office documents, EPUB, or an archive, of which the names are read.

What a member unpacks to is counted while it is read, whatever its header says; archives in archives stay shut.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from . import office
from .markup import shown
from .xmlstream import Source

UNPACKED = 200 * 1024 * 1024
"""Bytes that all members of one file may unpack to."""
MEMBERS = 20_000


class Budget:
    """Counts what comes out of an archive; ValueError when it is too much."""

    def __init__(self, left: int = UNPACKED) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take bytes off."""
        self.left -= count
        if self.left < 0:
            raise ValueError("the archive unpacks to too much")


class Counted(io.RawIOBase):
    """A member that is read against a budget."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        """Return bytes."""
        data = self._source.read(size)
        self._budget.spend(len(data))
        return data


class Package:
    """An open archive whose members are read against one budget."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._budget = Budget()
        self.names = archive.namelist()
        if len(self.names) > MEMBERS:
            self.names = self.names[:MEMBERS]
        self._there = frozenset(self.names)

    def has(self, name: str) -> bool:
        """Tell whether there is such a member."""
        return name in self._there

    def open(self, name: str) -> Counted:
        """Open a member; ValueError for an encrypted one."""
        try:
            return Counted(self._archive.open(name), self._budget)
        except RuntimeError:
            raise ValueError("encrypted") from None
        except NotImplementedError:
            raise ValueError("a compression that is not known") from None


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the text, or the names of the members."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"no zip archive: {error}") from None
    with archive:
        package = Package(archive)
        try:
            yield from _text(package)
        except zipfile.BadZipFile as error:
            raise ValueError(f"a damaged archive: {error}") from None


def _text(package: Package) -> Iterator[str]:
    if package.has("[Content_Types].xml"):
        for folder, read in (("word/", office.word), ("xl/", office.sheets), ("ppt/", office.slides)):
            if any(name.startswith(folder) for name in package.names):
                yield from office.properties(package, "docProps/core.xml")
                yield from read(package)
                return
    kind = b""
    if package.has("mimetype"):
        with package.open("mimetype") as member:
            kind = member.read(100)
    if kind.startswith(b"application/vnd.oasis.opendocument"):
        yield from office.properties(package, "meta.xml")
        yield from office.open_document(package)
    elif kind.startswith(b"application/epub"):
        yield from _book(package)
    else:
        for name in package.names:
            yield f"{name}\n"


def _book(package: Package) -> Iterator[str]:
    for name in package.names:
        if name.lower().endswith((".xhtml", ".html", ".htm", ".opf")):
            with package.open(name) as member:
                yield from shown(_blocks(member))


def _blocks(member: Counted) -> Iterator[str]:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while block := member.read(1 << 16):
        yield decoder.decode(block)
