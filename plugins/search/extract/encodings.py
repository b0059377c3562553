"""Bytes of unknown encoding as text. Runs in a child: the standard library alone."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

BLOCK = 1 << 16
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FALLBACK = "windows-1252"
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)


def is_text(head: bytes) -> bool:
    """Tell whether bytes are UTF-8, or begin with a byte order mark."""
    if any(head.startswith(mark) for mark, _ in MARKS):
        return True
    return bool(head) and b"\x00" not in head and _is_utf8(head)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(head: bytes, *, declared: bool = False) -> tuple[str, int]:
    """Return the encoding of some first bytes, and how many of these are a mark and no text.

    A byte order mark, then what the text declares of itself (HTML, XML; with `declared`), then UTF-8 and UTF-16
    by their looks, else windows-1252, in which every byte has a meaning.
    """
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if declared and (found := _DECLARED.search(head[:4096])):
        try:
            name = codecs.lookup(found[1].decode("ascii")).name
        except LookupError:
            name = ""
        if name and name not in ("utf-16", "utf-32") and _is_character_set(name):
            return name, 0
    if _is_utf8(head):
        return "utf-8", 0
    sample = head[:1024]
    zeros = [sample[i::2].count(0) for i in (0, 1)]
    if max(zeros) > len(sample) // 4 and min(zeros) * 8 < max(zeros):
        return ("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), 0
    return FALLBACK, 0


def _is_character_set(name: str) -> bool:
    """Tell apart what turns bytes into text from the other codecs of Python (zip, hex, rot13)."""
    return bool(getattr(codecs.lookup(name), "_is_text_encoding", False)) and name not in ("idna", "punycode")


def decoded(path: str, most: int, *, declared: bool = False) -> Iterator[str]:
    """Yield the text of a file block by block, at most `most` bytes of it."""
    with open(path, "rb") as file:
        head = file.read(BLOCK)
        name, skip = encoding_of(head, declared=declared)
        decoder = codecs.getincrementaldecoder(name)("replace")
        block, read = head[skip:], 0
        while block and read < most:
            yield decoder.decode(block[: most - read])
            read += len(block)
            block = file.read(BLOCK)
