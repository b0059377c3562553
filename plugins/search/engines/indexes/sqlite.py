"""The index on SQLite: FTS5 over the words, and a vocabulary for searches of a part of a word.

A trigram index over the texts themselves would cost more at each save than all else together. A part of a word
is looked for in the vocabulary (every word that was ever written, with a trigram index over those), and the
words that hold it are then looked for in the index of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    and_,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
)

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel
from atrio.plugins.core_content.api import CONTENT

from ...folding import words
from ...language import Query, Term
from ...models import TEXT
from .. import Progress
from . import Condition
from .fields import CONTAINED, columns_of, reading_through, within
from .layout import ALWAYS, NAME, NEXT, WEIGHTS, sqlite_drop, sqlite_index, sqlite_triggers

LETTERS = 3
"""Letters that a part of a word must have for the vocabulary to help."""
LONGEST = 64
"""Letters of the longest word in the vocabulary."""
WORDS_AT_ONCE = 1000
"""Words that hold a needle, up to which asking for each is better than reading the texts."""
BATCH = 500

_WORDS = table(NAME, column("rowid", Integer))
_FOUND = (_WORDS.c.rowid + 0).label("content_id")
"""`+ 0` lets the index of words be read first, and contents be looked up by their ids, never the other way."""
_MATCH = literal_column(NAME).op("MATCH")
_SCORE = (-func.bm25(literal_column(NAME), *(literal_column(str(w)) for w in WEIGHTS), type_=Float)).label("score")
_HELD = CONTENT.c.content_id.in_(select(_WORDS.c.rowid).where(_MATCH(bindparam("held"))))
_LEARN = text(
    "INSERT OR IGNORE INTO search_vocabulary(word) SELECT value FROM json_each(:words)"
)  # fmt: skip
_KNOWN = text(
    "SELECT word FROM search_vocabulary WHERE word_id IN"
    " (SELECT rowid FROM search_letters WHERE search_letters MATCH :letters) LIMIT :limit"
)
LARGE = 1_000_000
"""Rows that the planner is told of the tables inside the indexes."""
_OWN = " OR ".join(f"tbl LIKE :{name} ESCAPE '!'" for name in ("words", "next", "letters"))


class SqliteIndex:
    """FTS5."""

    def hits(self, query: Query, fields: frozenset[str], *, scored: bool) -> Select[Any]:
        """Return a SELECT of content_id and score."""
        names = columns_of(fields)
        only = f"{{{' '.join(names)}}} : " if names else ""
        wanted = " AND ".join(f"({' OR '.join(_terms(group, scored=scored))})" for group in query.wanted)
        unwanted = " OR ".join(_term(t) for t in query.unwanted)
        if not wanted:
            without = select(_WORDS.c.rowid).where(_MATCH(bindparam("fts", f"{only}({unwanted})")))
            columns: tuple[Any, ...] = (TEXT.c.content_id, literal(1.0, Float).label("score"))
            return select(*columns[: 1 + scored]).where(TEXT.c.content_id.not_in(without))
        sought = f"{only}(({wanted}) NOT ({unwanted}))" if unwanted else f"{only}({wanted})"
        return select(*(_FOUND, _SCORE)[: 1 + scored]).where(_MATCH(bindparam("fts", sought)))

    def containing(self, ctx: Context, needles: Sequence[str]) -> Condition:
        """Return the condition of contents that hold a needle: over the vocabulary where that can help."""
        sought: dict[str, list[str]] = {}
        for needle in needles:
            sought[needle] = [w for w in words(needle) if LETTERS <= len(w) <= LONGEST]
        read = [n for n, parts in sought.items() if not parts]
        parts = {part for found in sought.values() for part in found}
        known = _vocabulary(ctx, parts) if parts else {}
        if known is None:
            return Condition(within(reading_through(needles)))
        if all(sought[n] == [n] for n in needles):  # the plain case: one word after the other
            found = [w for n in needles for w in known[n]]
            return Condition(_HELD, {"held": _sought([found])}, "held") if found else Condition(literal(0) == 1)
        conditions: list[ColumnElement[bool]] = [within(reading_through(read))] if read else []
        whole = [known[n] for n in needles if sought[n] == [n]]
        if any(whole):
            conditions.append(CONTENT.c.content_id.in_(_holding([[w for found in whole for w in found]])))
        for needle in needles:
            if sought[needle] and sought[needle] != [needle]:
                held = [known[part] for part in sought[needle]]
                if all(held):
                    inside = CONTENT.c.content_id.in_(_holding(held))
                    conditions.append(and_(inside, within(reading_through([needle]))))
        return Condition(or_(*conditions) if conditions else literal(0) == 1)

    def learn(self, ctx: Context, texts: Sequence[str]) -> None:
        """Add the words of texts to the vocabulary: one statement."""
        found = {w for one in texts for w in words(one) if LETTERS <= len(w) <= LONGEST}
        if found:
            ctx.execute(_LEARN, {"words": msgspec.json.encode(list(found)).decode()})

    def settle(self, ctx: Context) -> None:
        """Make the planner take the tables inside the indexes for large ones: four statements at most.

        An ANALYZE that found them nearly empty makes FTS5 read all of its blocks each time that it deletes some,
        which costs 100 ms of every sixteenth save once they are full.
        """
        if ctx.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")).first() is None:
            return
        names = {"words": f"{NAME}!_%", "next": f"{NEXT}!_%", "letters": "search!_letters!_%"}
        small = f"UPDATE sqlite_stat1 SET stat = '{LARGE}' WHERE idx IS NULL AND stat <> '{LARGE}' AND ({_OWN})"  # noqa: S608
        changed: Any = ctx.execute(text(small), names)
        if changed.rowcount:  # without a row the planner would keep what it read before
            ctx.execute(text(f"DELETE FROM sqlite_stat1 WHERE idx IS NOT NULL AND ({_OWN})"), names)  # noqa: S608
            ctx.execute(text("ANALYZE sqlite_master"))  # reads the statistics anew, makes none

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Fill a second index in small transactions, then let it take the place of the first in one.

        Writes go into the second one too, as far as it is filled: what it holds is always what is there.
        """
        kernel.run(_begin_filling)
        total = kernel.run(lambda ctx: ctx.execute(select(func.count()).select_from(TEXT)).scalar() or 0)
        done = 0
        while step := kernel.run(_fill):
            done += step
            progress("index of words", done, total)
        kernel.run(_swap)

    def facts(self, ctx: Context) -> dict[str, Any]:
        """Return the names of what is there and the number of words known."""
        there = set(
            ctx.execute(text("SELECT name FROM sqlite_master WHERE name LIKE 'search!_%' ESCAPE '!'")).scalars()
        )
        needed = {
            NAME,
            "search_letters",
            "search_vocabulary",
            *(f"{NAME}_{w}" for w in ("added", "changed", "removed")),
        }
        ready = needed <= there
        known = ctx.execute(text("SELECT count(*) FROM search_vocabulary")).scalar() if ready else 0
        return {"ready": ready, "index": "FTS5", "part of a word": "vocabulary with trigrams", "vocabulary": known}


def _terms(group: Sequence[Term], *, scored: bool) -> list[str]:
    """Return the terms of a group; beside other forms a word itself stands twice, so that it counts double."""
    own = [_term(t) for t in group if not t.form]
    forms = [_term(t) for t in group if t.form]
    return [*own, *(own if forms and scored else ()), *forms]


def _term(term: Term) -> str:
    """Return a term in the syntax of FTS5; its words are letters and digits only."""
    return f'"{term.text}"{" *" if term.kind == "prefix" else ""}'


def _vocabulary(ctx: Context, parts: set[str]) -> dict[str, list[str]] | None:
    """Return the known words that hold each part; None when there are too many of them."""
    letters = " OR ".join(
        "(" + " AND ".join(f'"{part[i : i + LETTERS]}"' for i in range(len(part) - LETTERS + 1)) + ")"
        for part in sorted(parts)
    )
    rows = ctx.execute(_KNOWN, {"letters": letters, "limit": WORDS_AT_ONCE + 1}).scalars().all()
    if len(rows) > WORDS_AT_ONCE:
        return None
    return {part: [word for word in rows if part in word] for part in parts}


def _sought(groups: Sequence[Sequence[str]]) -> str:
    """Return what finds contents that hold one word of each group, in the syntax of FTS5."""
    one_of_each = " AND ".join("(" + " OR ".join(f'"{w}"' for w in dict.fromkeys(group)) + ")" for group in groups)
    return f"{{{' '.join(CONTAINED)}}} : ({one_of_each})"


def _holding(groups: Sequence[Sequence[str]]) -> Select[Any]:
    """Return a SELECT of the contents that hold one word of each group."""
    return select(_WORDS.c.rowid).where(_MATCH(bindparam(None, _sought(groups))))


def _begin_filling(ctx: Context) -> None:
    for statement in sqlite_drop(NEXT):
        ctx.execute(text(statement))
    ctx.execute(text("INSERT OR REPLACE INTO search_state(name, value) VALUES ('rebuild', 0)"))
    for statement in sqlite_index(NEXT, filling=True):
        ctx.execute(text(statement))


def _fill(ctx: Context) -> int:
    """Fill the second index a step further; returns how many rows that were, 0 at the end."""
    names = ", ".join(c for c in TEXT.c.keys() if c not in ("content_id", "revision_id"))  # noqa: SIM118
    start = ctx.execute(text("SELECT value FROM search_state WHERE name = 'rebuild'")).scalar()
    ids = ctx.execute(
        select(TEXT.c.content_id).where(TEXT.c.content_id > start).order_by(TEXT.c.content_id).limit(BATCH)
    ).scalars().all()  # fmt: skip
    if not ids:
        return 0
    span = {"start": start, "stop": ids[-1]}
    ctx.execute(
        text(
            f"INSERT INTO {NEXT}(rowid, {names}) SELECT content_id, {names} FROM search_text"  # noqa: S608
            " WHERE content_id > :start AND content_id <= :stop ORDER BY content_id"
        ),
        span,
    )
    ctx.execute(text("UPDATE search_state SET value = :stop WHERE name = 'rebuild'"), span)
    return len(ids)


def _swap(ctx: Context) -> None:
    while _fill(ctx):
        pass
    for statement in (
        *sqlite_drop(NAME), *sqlite_drop(NEXT)[:-1], f"ALTER TABLE {NEXT} RENAME TO {NAME}",
        *sqlite_triggers(NAME, ALWAYS), "DELETE FROM search_state WHERE name = 'rebuild'",
    ):  # fmt: skip
        ctx.execute(text(statement))
