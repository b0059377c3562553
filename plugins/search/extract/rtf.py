"""Text of RTF files: control words dropped, escaped characters read, groups that hold no text left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

BYTES = 40
"""Bytes that are read for each character that is wanted."""
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|."
)
SILENT = frozenset(
    b"fonttbl colortbl stylesheet info pict object themedata datastore generator listtable listoverridetable "
    b"rsidtbl xmlnstbl latentstyles".split()
)
BREAKS = frozenset({b"par", b"line", b"cell", b"row", b"page", b"sect", b"tab"})


class _Reader:
    """Walks through the tokens; `silent` counts groups inside one that holds no text."""

    def __init__(self) -> None:
        self.depth = 0
        self.silent_from = 0
        self.skip = 0
        self.each = [1]
        self.encoding = "windows-1252"

    def take(self, match: re.Match[bytes]) -> str:
        """Return the text of a token."""
        word, number, code, symbol, brace, text = match.groups()
        if brace:
            self._brace(brace)
        elif word:
            return self._word(word, int(number) if number else None)
        elif self.silent_from:
            return ""
        elif code:
            if self.skip:
                self.skip -= 1
                return ""
            return bytes([int(code, 16)]).decode(self.encoding, "replace")
        elif symbol:
            if symbol == b"*":
                self.silent_from = self.depth
            return {b"~": " ", b"_": "-"}.get(symbol, symbol.decode("latin-1") if symbol in b"\\{}" else "")
        elif text:
            skipped, self.skip = text[self.skip :], max(self.skip - len(text), 0)
            return skipped.decode(self.encoding, "replace")
        return ""

    def _brace(self, brace: bytes) -> None:
        if brace == b"{":
            self.depth += 1
            self.each.append(self.each[-1])
            return
        if self.silent_from and self.depth <= self.silent_from:
            self.silent_from = 0
        if self.depth:
            self.depth -= 1
            self.each.pop()

    def _word(self, word: bytes, number: int | None) -> str:
        if self.silent_from:
            return ""
        if word in SILENT:
            self.silent_from = self.depth
        elif word == b"uc" and number is not None:
            self.each[-1] = min(max(number, 0), 8)
        elif word == b"ansicpg" and number in (
            1250,
            1251,
            1252,
            1253,
            1254,
            1255,
            1256,
            1257,
            1258,
            932,
            936,
            950,
        ):
            self.encoding = f"cp{number}"
        elif word == b"u" and number is not None:
            self.skip = self.each[-1]
            return chr(number & 0xFFFF)
        elif word in BREAKS:
            return "\n"
        return ""


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the text; surrogates of characters beyond the 16 bits are joined."""
    with open(path, "rb") as file:
        data = file.read(limit * BYTES)
    if not data.startswith(b"{\\rtf"):
        raise ValueError("no RTF")
    reader = _Reader()
    found: list[str] = []
    for match in _TOKEN.finditer(data):
        if text := reader.take(match):
            found.append(text)
        if len(found) >= 4096:
            yield _joined(found)
            found.clear()
    yield _joined(found)


def _joined(found: list[str]) -> str:
    return "".join(found).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
