"""Small text rules of the wire."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^a-z0-9_]+")


def slugify(label: str) -> str:
    """Return the ASCII, lower-case, dashed form of a label (`été a` gives `ete-a`)."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return _WORD.sub("-", plain).strip("-")


def fold(text: str) -> str:
    """Return a text without case and accents, for order and search that are the same on every database."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
