"""Text of office documents: OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300).

Macros and pictures are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .xmlstream import stream

if TYPE_CHECKING:
    from .package import Package

BREAKS = frozenset({"p", "h", "br", "line-break", "tc", "tr", "table-cell", "table-row", "si", "list-item"})
BLANKS = frozenset({"tab", "s"})
PROPERTIES = frozenset({"title", "subject", "keyword", "keywords", "description", "creator", "initial-creator"})
_NUMBER = re.compile(r"\d+")


class _Runs:
    """Collects the text of an element (`t`, or all below `root`); ends of paragraphs part words."""

    def __init__(self, wanted: frozenset[str] | None, root: str = "") -> None:
        self.found: list[str] = []
        self._wanted = wanted
        self._root = root
        self._inside = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        if name == self._root or (self._wanted and name in self._wanted):
            self._inside += 1
        elif name in BLANKS:
            self.found.append(" ")

    def end(self, name: str) -> None:
        """Take its end."""
        if name == self._root or (self._wanted and name in self._wanted):
            self._inside -= 1
            if self._wanted is PROPERTIES:
                self.found.append("\n")
        if name in BREAKS:
            self.found.append("\n")

    def data(self, text: str) -> None:
        """Take text."""
        if self._inside:
            self.found.append(text)


def _read(package: Package, name: str, runs: _Runs) -> Iterator[str]:
    with package.open(name) as member:
        for _ in stream(member, runs.start, runs.end, runs.data):
            if runs.found:
                yield "".join(runs.found)
                runs.found.clear()
    yield "\n"


def _all(package: Package, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from _read(package, name, _Runs(frozenset({"t"})))


def _matching(package: Package, pattern: str) -> list[str]:
    """Return the members whose names fit, in the order of their numbers."""
    fitting = (name for name in package.names if re.fullmatch(pattern, name))
    return sorted(fitting, key=lambda name: [int(n[:9]) for n in _NUMBER.findall(name)])


def properties(package: Package, member: str) -> Iterator[str]:
    """Yield title, subject, keywords and author."""
    if package.has(member):
        yield from _read(package, member, _Runs(PROPERTIES))


def word(package: Package) -> Iterator[str]:
    """Yield the text of a document, then of its headers, footers, notes and comments."""
    if not package.has("word/document.xml"):
        raise ValueError("a document without its text")
    yield from _all(package, ["word/document.xml"])
    parts = r"word/(?:header|footer|footnotes|endnotes|comments)\d*\.xml"
    yield from _all(package, _matching(package, parts))


def slides(package: Package) -> Iterator[str]:
    """Yield the text of slides and of the speaker's notes."""
    yield from _all(package, _matching(package, r"ppt/slides/slide\d+\.xml"))
    yield from _all(package, _matching(package, r"ppt/notesSlides/notesSlide\d+\.xml"))


def sheets(package: Package) -> Iterator[str]:
    """Yield the names of sheets, every text once, then numbers and texts that stand in the cells themselves."""
    if package.has("xl/workbook.xml"):
        yield from _read(package, "xl/workbook.xml", _SheetNames(frozenset()))
    if package.has("xl/sharedStrings.xml"):
        yield from _all(package, ["xl/sharedStrings.xml"])
    for name in _matching(package, r"xl/worksheets/sheet\d+\.xml"):
        yield from _read(package, name, _Cells())


class _SheetNames(_Runs):
    """The names of sheets, which are attributes."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        if name == "sheet":
            self.found.append(attributes.get("name", "") + "\n")


class _Cells(_Runs):
    """The values of cells; one that points at a shared text is left out."""

    def __init__(self) -> None:
        super().__init__(frozenset({"v", "t"}))
        self._shared = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        if name == "c":
            self._shared = attributes.get("t") == "s"
        super().start(name, attributes)

    def end(self, name: str) -> None:
        """Take its end."""
        super().end(name)
        if name == "c":
            self.found.append("\n")

    def data(self, text: str) -> None:
        """Take text."""
        if not self._shared:
            super().data(text)


def open_document(package: Package) -> Iterator[str]:
    """Yield the text of an OpenDocument file of any kind."""
    if not package.has("content.xml"):
        raise ValueError("a document without its text")
    yield from _read(package, "content.xml", _Runs(None, root="body"))
