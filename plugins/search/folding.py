"""Texts as they are compared: without case, marks and markup, the same in the index and in queries."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

INLINE = (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong sub sup "
    "tt u var wbr html-mention"
)
_INLINE = re.compile(rf"</?(?:{'|'.join(INLINE.split())})(?:\s[^<>]*)?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"[^\W_]+")
NO_TEXT = frozenset({"id", "bgColor", "color", "colour"})
"""Keys of boards and journals whose values nobody reads."""


def fold(text: str) -> str:
    """Return a text without case and marks, blanks made one space: NFKD, no combining marks, casefolded."""
    if text.isascii():
        plain = text.lower()
    else:
        plain = unicodedata.normalize("NFKD", text)
        for character in set(plain):
            if unicodedata.combining(character):
                plain = plain.replace(character, "")
        plain = plain.casefold()
    if "\x00" in plain:
        plain = plain.replace("\x00", " ")
    return " ".join(plain.split())


def words(folded: str) -> list[str]:
    """Return the words of a folded text: runs of letters and digits."""
    return _WORD.findall(folded)


def plain(markup: str) -> str:
    """Return the text of HTML: inline marks join, other marks part words."""
    if "<" in markup:
        markup = _TAG.sub(" ", _INLINE.sub("", markup))
    return html.unescape(markup) if "&" in markup else markup


def readable(content_type: str, raw: str, limit: int) -> str:
    """Return what people read of a content's text, at most `limit` characters of it."""
    raw = raw[: limit * 8]
    if content_type in ("kanban", "logbook"):
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            return plain(raw)[:limit]
        return " ".join(_strings(value))[:limit]
    return plain(raw)[:limit]


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield plain(part)
        elif isinstance(part, list):
            waiting.extend(reversed(part))
        elif isinstance(part, dict):
            waiting.extend(v for k, v in reversed(part.items()) if k not in NO_TEXT)


def joined(texts: Iterable[str], limit: int) -> str:
    """Return several texts as one folded text, each on a line of its own."""
    parts: list[str] = []
    left = limit
    for text in texts:
        if left <= 0:
            break
        parts.append(fold(text[:left]))
        left -= len(parts[-1]) + 1
    return "\n".join(parts)
