"""The index on MariaDB: FULLTEXT over all texts; where it cannot tell, the texts themselves are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    and_,
    bindparam,
    case,
    literal,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.mysql import match

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from ...language import Query, Term
from ...models import FIELDS, TEXT
from .. import Progress
from . import Condition
from .fields import columns_of, reading_through, within
from .layout import COLUMNS, WEIGHTS

FORM = 0.5
"""What another form of a word counts for, of what the word itself does."""
SHORTEST, LONGEST = 3, 84
"""Letters of the words that InnoDB indexes (innodb_ft_min_token_size, innodb_ft_max_token_size)."""


class MariadbIndex:
    """FULLTEXT in boolean mode finds candidates, regular expressions settle which of them are hits.

    The words of InnoDB's own tokeniser are not quite ours, it leaves out short ones and counts no field apart.
    """

    def hits(self, query: Query, fields: frozenset[str], *, scored: bool) -> Select[Any]:
        """Return a SELECT of content_id and score."""
        names = columns_of(fields) or FIELDS
        conditions = [or_(*(_holds(terms, names) for terms in _together(group))) for group in query.wanted]
        conditions += [not_(_holds(terms, names)) for terms in _together(query.unwanted)]
        sought = " ".join(filter(None, (_candidates(group) for group in query.wanted)))
        if sought:
            indexed = (TEXT.c[name] for name in COLUMNS)
            conditions.append(match(*indexed, against=literal(sought), in_boolean_mode=True))
        columns = (TEXT.c.content_id, _score(query, names)) if scored else (TEXT.c.content_id,)
        return select(*columns).where(and_(*conditions))

    def many(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return nothing: the database looks at the rows of all hits."""
        return ()

    def named(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return nothing: asked only of what `many` gives."""
        return ()

    def containing(self, ctx: Context, needles: Sequence[str]) -> Condition:
        """Return the condition of contents that hold a needle: reads the texts."""
        return Condition(within(reading_through(needles)))

    def learn(self, ctx: Context, texts: Sequence[str]) -> None:
        """Do nothing: InnoDB keeps its index in line by itself."""

    def settle(self, ctx: Context) -> None:
        """Do nothing: statistics are kept up by the database."""

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Leave the index: an index that MariaDB makes anew on a filled table answered nothing when tried."""
        progress("index of words", 1, 1)

    def facts(self, ctx: Context) -> dict[str, Any]:
        """Return whether the index is there."""
        there = ctx.execute(text("SHOW INDEX FROM search_text WHERE Key_name = 'ft_search_text_words'")).first()
        return {"ready": there is not None, "index": "FULLTEXT", "part of a word": "reads the texts"}


def _candidates(group: Sequence[Term]) -> str:
    """Return the group in the syntax of boolean mode; "" when the index cannot narrow it down."""
    found: list[str] = []
    for term in group:
        exact = term.words[:-1] if term.kind == "prefix" else term.words
        usable = [w for w in exact if SHORTEST <= len(w) <= LONGEST and w.isascii()]
        begun = term.words[-1]
        if term.kind == "prefix" and SHORTEST <= len(begun) <= LONGEST and begun.isascii():
            usable.append(f"{begun}*")
        if not usable:
            return ""
        found.append(max(usable, key=len))
    return f"+({' '.join(found)})"


def _together(group: Sequence[Term]) -> list[list[Term]]:
    """Return the terms of a group, its other forms of words together: one look at a text finds any of them."""
    forms = [t for t in group if t.form]
    return [*([t] for t in group if not t.form), *([forms] if forms else [])]


def _holds(terms: Sequence[Term], names: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition of texts with one of some terms; between words stands what is no letter and no digit.

    Terms that are together are of one kind.
    """
    words = "|".join("[^[:alnum:]]+".join(term.words) for term in terms)
    end = "" if terms[0].kind == "prefix" else "(?![[:alnum:]])"
    pattern = f"(?<![[:alnum:]])(?:{words}){end}"
    return or_(*(TEXT.c[name].bool_op("REGEXP")(bindparam(None, pattern)) for name in names))


def _score(query: Query, names: Sequence[str]) -> ColumnElement[Any]:
    """Return the sum of the weights of the texts that hold a term."""
    weights = dict(zip(COLUMNS, WEIGHTS, strict=True))
    total: ColumnElement[Any] = literal(0.0, Float)
    for group in query.wanted:
        for terms in _together(group):
            part = FORM if terms[0].form else 1.0
            for name in names:
                total = total + case((_holds(terms, (name,)), part * weights[name]), else_=0.0)
    return (total + literal(0.01, Float)).label("score")
