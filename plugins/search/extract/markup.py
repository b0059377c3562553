"""Text of HTML, XHTML, XML and SVG: what is shown, without scripts and styles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from .encodings import decoded

BYTES = 20
"""Bytes of markup that are read for each character that is wanted."""
SILENT = frozenset({"script", "style", "template", "noscript", "object", "iframe"})
_INLINE = (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong "
    "sub sup tspan tt u var wbr"
)
INLINE = frozenset(_INLINE.split())


class _Shown(HTMLParser):
    """Collects the text; every mark that is not inline parts words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent and tag in SILENT:
            self._silent = tag
        elif tag not in INLINE:
            self.found.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in INLINE:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        if tag not in INLINE:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)

    def unknown_decl(self, data: str) -> None:
        if data.startswith("CDATA["):
            self.found.append(data[6:])

    def taken(self) -> str:
        """Return what was found since the last call."""
        text = "".join(self.found)
        self.found.clear()
        return text


def shown(blocks: Iterable[str]) -> Iterator[str]:
    """Yield the text of HTML that comes in blocks."""
    parser = _Shown()
    for block in blocks:
        parser.feed(block)
        if text := parser.taken():
            yield text
    parser.close()
    yield parser.taken()


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the text."""
    yield from shown(decoded(path, limit * BYTES, declared=True))
