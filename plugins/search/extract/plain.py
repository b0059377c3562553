"""Text of plain text, Markdown, CSV, source code and other files that are text as they are."""

from __future__ import annotations

from collections.abc import Iterator

from .encodings import decoded

BYTES = 4
"""Bytes that are read for each character that is wanted."""


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the text."""
    yield from decoded(path, limit * BYTES)
