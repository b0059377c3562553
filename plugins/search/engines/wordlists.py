"""Queries over the words of people and spaces: short texts, read through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_

from ..folding import fold, words
from ..language import Query, Term


def as_words(text: str) -> str:
    """Return the words of a text, each between blanks; "" for none."""
    found = words(fold(text))
    return f" {' '.join(found)} " if found else ""


def matching(query: Query, columns: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of rows that meet a query; each term may stand in another column."""
    return and_(
        *(or_(*(_holds(term, columns) for term in group)) for group in query.wanted),
        *(not_(_holds(term, columns)) for term in query.unwanted),
    )


def _holds(term: Term, columns: Iterable[Any]) -> ColumnElement[bool]:
    pattern = f"% {term.text}{'' if term.kind == 'prefix' else ' '}%"  # letters and digits: no sign of a pattern
    return or_(*(column.like(pattern) for column in columns))


def beginning(query: Query, column: Any) -> ColumnElement[bool]:
    """Return the condition that a text begins with the first thing that is looked for."""
    first = query.wanted[0][0].text if query.wanted else ""
    begins: ColumnElement[bool] = column.like(f" {first}%")
    return begins
