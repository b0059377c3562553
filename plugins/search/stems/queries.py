"""Reads of stems: which words are known, and which forms a stem has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import String, bindparam, distinct, func, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement

from ..engines import Kind
from ..folding import words
from ..models import FIELDS, PLACE, STATE, TEXT
from .models import STEM
from .stemmer import fits, usable

AT_ONCE = 500
"""Words that are asked for in one statement."""
SIZES = (8, 64, 256)
"""Numbers of stems for which statements are kept."""
ROWS = 2000
"""Forms that are read for one query."""
_TEXTS = {
    "content": (TEXT, TEXT.c.content_id, FIELDS),
    "space": (PLACE, PLACE.c.space_id, ("label", "description")),
}


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the words of folded texts that may have forms."""
    return {w for text in texts for w in words(text) if usable(w)}


def words_of_ids(ctx: Context, kind: Kind, ids: Sequence[int]) -> dict[int, set[str]]:
    """Return the words of some contents or spaces that may have forms, by id: one statement; of people none."""
    if kind not in _TEXTS or not ids:
        return {}
    table, key, names = _TEXTS[kind]
    rows: Any = ctx.execute(select(key, *(table.c[n] for n in names)).where(key.in_(ids)).order_by(key))
    return {row[0]: words_of(row[1:]) for row in rows}


def unknown(
    ctx: Context, found: Iterable[str], languages: Sequence[str], limit: int | None = None
) -> tuple[list[tuple[str, str]], list[str]]:  # fmt: skip
    """Return the pairs of word and language whose stem is not known, and the words that were looked at.

    One statement for 500 words, until `limit` pairs are there.
    """
    ordered = sorted(found)
    missing: list[tuple[str, str]] = []
    for start in range(0, len(ordered), AT_ONCE):
        part = ordered[start : start + AT_ONCE]
        rows: Any = ctx.execute(select(STEM.c.word, STEM.c.language).where(STEM.c.word.in_(part)))
        known = {(word, language) for word, language in rows}
        missing += [(w, name) for w in part for name in languages if fits(w, name) and (w, name) not in known]
        if limit is not None and len(missing) >= limit:
            return missing, ordered[: start + AT_ONCE]
    return missing, ordered


def _forms(size: int) -> Statement:
    stems = [bindparam(f"stem_{i}", type_=String) for i in range(size)]
    query = select(STEM.c.stem, STEM.c.language, STEM.c.word).where(STEM.c.stem.in_(stems))
    return Statement(query.order_by(STEM.c.stem, STEM.c.language, STEM.c.word).limit(ROWS), "FormRow")


def forms(ctx: Context, stems: Sequence[str]) -> list[Any]:
    """Return stem, language and word of some stems, at most 256 of them: one statement, built once."""
    if not stems:
        return []
    part = stems[: SIZES[-1]]
    size = next(s for s in SIZES if s >= len(part))
    statement = ctx.kernel.memo(("search.forms", size), partial(_forms, size))
    filled = [*part, *[part[-1]] * (size - len(part))]
    return statement.all(ctx, **{f"stem_{i}": stem for i, stem in enumerate(filled)})


def state(ctx: Context, names: Sequence[str]) -> dict[str, int]:
    """Return some numbers that were noted, by name."""
    rows: Any = ctx.execute(select(STATE.c.name, STATE.c.value).where(STATE.c.name.in_(names))).all()
    return dict(rows)


def numbers(ctx: Context) -> dict[str, int]:
    """Return how many words are known in each language."""
    rows: Any = ctx.execute(
        select(STEM.c.language, func.count(distinct(STEM.c.word))).group_by(STEM.c.language)
    ).all()  # fmt: skip
    return dict(rows)
