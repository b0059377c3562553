"""The index on PostgreSQL: a tsvector beside the texts, and trigrams where pg_trgm can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from ...language import Query, Term
from ...models import TEXT
from .. import Progress
from . import Condition
from .fields import columns_of, reading_through, within

_WEIGHTS: ColumnElement[Any] = literal_column("'{0.1, 0.3, 0.5, 1.0}'::real[]")
"""Of D (texts), C (description), B (file name and tags) and A (label)."""
_VECTOR: ColumnElement[Any] = literal_column("search_text.words", TSVECTOR)
_NO_WORD = "[^[:alnum:]]+"


class PostgresqlIndex:
    """tsvector with the configuration `simple`: words are folded before, and none is left out."""

    def hits(self, query: Query, fields: frozenset[str], *, scored: bool) -> Select[Any]:
        """Return a SELECT of content_id and score.

        Where fields are chosen the index says which contents hold the words anywhere, and the texts of those say
        where.
        """
        names = columns_of(fields)
        wanted = " & ".join(f"({' | '.join(_term(t) for t in group)})" for group in query.wanted)
        unwanted = " | ".join(_term(t) for t in query.unwanted)
        here = _vector_of(names) if names else _VECTOR
        conditions: list[ColumnElement[bool]] = []
        if wanted:
            conditions.append(_VECTOR.bool_op("@@")(_query(wanted)))
            if names:
                conditions.append(here.bool_op("@@")(_query(wanted)))
        if unwanted:
            conditions.append(not_(func.coalesce(here.bool_op("@@")(_query(unwanted)), False)))
        if not scored:
            return select(TEXT.c.content_id).where(and_(*conditions))
        score: ColumnElement[float] = func.ts_rank(_WEIGHTS, _VECTOR, _query(wanted or unwanted), type_=Float)
        if any(t.form for group in query.wanted for t in group):  # a word itself counts double
            own = " & ".join(f"({' | '.join(_term(t) for t in g if not t.form)})" for g in query.wanted)
            score = score + func.ts_rank(_WEIGHTS, _VECTOR, _query(own), type_=Float)
        return select(TEXT.c.content_id, score.label("score")).where(and_(*conditions))

    def many(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return nothing: the database looks at the rows of all hits."""
        return ()

    def named(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return nothing: asked only of what `many` gives."""
        return ()

    def containing(self, ctx: Context, needles: Sequence[str]) -> Condition:
        """Return the condition of contents that hold a needle; the planner takes the trigrams where they are."""
        return Condition(within(reading_through(needles)))

    def learn(self, ctx: Context, texts: Sequence[str]) -> None:
        """Do nothing: the vector is made by a trigger."""

    def settle(self, ctx: Context) -> None:
        """Do nothing: statistics are kept up by the database."""

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Make a second index beside the first, which answers meanwhile; writes of texts wait."""

        def swap(ctx: Context) -> None:
            ctx.execute(text("CREATE INDEX ix_search_text_next ON search_text USING gin (words)"))
            ctx.execute(text("DROP INDEX IF EXISTS ix_search_text_words"))
            ctx.execute(text("ALTER INDEX ix_search_text_next RENAME TO ix_search_text_words"))

        progress("index of words", 0, 1)
        kernel.run(swap)
        progress("index of words", 1, 1)

    def facts(self, ctx: Context) -> dict[str, Any]:
        """Return which indexes are there."""
        there = set(
            ctx.execute(text("SELECT indexname FROM pg_indexes WHERE tablename = 'search_text'")).scalars()
        )  # fmt: skip
        letters = "trigrams" if "ix_search_text_letters" in there else "reads the texts: pg_trgm is not there"
        return {"ready": "ix_search_text_words" in there, "index": "tsvector", "part of a word": letters}


def _query(sought: str) -> ColumnElement[Any]:
    return cast(bindparam(None, sought, Text), TSQUERY)


def _term(term: Term) -> str:
    """Return a term in the syntax of tsquery; its words are letters and digits only."""
    found = [f"'{word}'" for word in term.words]
    if term.kind == "prefix":
        found[-1] += ":*"
    return f"({' <-> '.join(found)})"


def _vector_of(names: Sequence[str]) -> ColumnElement[Any]:
    """Return the vector of some columns, made on the spot."""
    vectors = [
        func.to_tsvector(literal_column("'simple'"), func.regexp_replace(TEXT.c[name], _NO_WORD, " ", "g"))
        for name in names
    ]
    joined: ColumnElement[Any] = vectors[0]
    for vector in vectors[1:]:
        joined = joined.op("||")(vector)
    return joined
