"""Which columns the fields of the wire mean, and conditions that read the texts through."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, String, bindparam, or_, select

from atrio.plugins.core_content.api import CONTENT

from ...models import FIELDS, TEXT

OF_FIELD = {
    "label": ("label", "filename"), "raw_content": ("body", "more", "file"), "comments": ("comments",),
    "description": ("description",), "tags": ("tags",), "todos": ("todos",),
}  # fmt: skip
CONTAINED = tuple(name for name in FIELDS if name != "file")
"""What a search for a part of a word looks through; the text of files can be too long for it."""


def columns_of(fields: frozenset[str]) -> tuple[str, ...]:
    """Return the columns of some wire fields, in the order of the index; () when all are meant."""
    wanted = {column for field in fields for column in OF_FIELD[field]}
    return tuple(name for name in FIELDS if name in wanted)


def reading_through(needles: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition of contents that hold one of some needles anywhere: reads the texts."""
    return or_(
        *(TEXT.c[column].like(f"%{literally(n)}%", escape="!") for n in needles for column in CONTAINED)
    )  # fmt: skip


def reading(number: int) -> ColumnElement[bool]:
    """Return what `reading_through` does, for some number of needles; `patterns` are its values."""
    needles = [bindparam(f"needle_{i}", type_=String) for i in range(number)]
    return or_(*(TEXT.c[column].like(needle, escape="!") for needle in needles for column in CONTAINED))


def patterns(needles: Sequence[str]) -> dict[str, str]:
    """Return the values of `reading`."""
    return {f"needle_{i}": f"%{literally(needle)}%" for i, needle in enumerate(needles)}


def within(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition over the texts as one over CONTENT."""
    # Correlated, so that only contents that the searcher may see are read.
    found: Select[tuple[int]] = select(TEXT.c.content_id).where(
        TEXT.c.content_id == CONTENT.c.content_id, condition
    )
    return found.correlate(CONTENT).exists()


def literally(needle: str) -> str:
    """Return a needle whose signs of patterns mean themselves; the escape is `!`."""
    return needle.replace("!", "!!").replace("%", "!%").replace("_", "!_")
