"""Small text rules of the wire."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^a-z0-9_]+")


def slugify(label: str) -> str:
    """Return the ASCII, lower-case, dashed form of a label (`été a` gives `ete-a`)."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return _WORD.sub("-", plain).strip("-")
