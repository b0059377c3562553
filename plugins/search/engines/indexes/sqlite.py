"""The index on SQLite: FTS5 over the words, and a vocabulary for searches of a part of a word.

A trigram index over the texts themselves would cost more at each save than all else together. A part of a word
is looked for in the vocabulary (every word that was ever written, with a trigram index over those), and the
words that hold it are then looked for in the index of words.
"""

from __future__ import annotations

import logging
from collections import Counter
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
from atrio.kernel.db.statement import Write
from atrio.kernel.host import Kernel
from atrio.plugins.core_content.api import CONTENT

from ...folding import words
from ...language import Query, Term
from ...models import TEXT
from .. import Progress
from . import Condition
from .fields import CONTAINED, columns_of, patterns, reading, reading_through, within
from .kinds import LEAST, SPARSE, numbers_in, put_right
from .layout import (
    ALWAYS,
    COLUMNS,
    KIND_TRIGGERS,
    NAME,
    NAME_COLUMNS,
    NAMES,
    NEXT,
    PART_COLUMNS,
    PARTS,
    PARTS_NEXT,
    SQLITE_FILL_NAMES,
    SQLITE_KINDS,
    WEIGHTS,
    sqlite_drop,
    sqlite_index,
    sqlite_triggers,
)

log = logging.getLogger("atrio.search")

LETTERS = 3
"""Letters that a part of a word must have for the vocabulary to help."""
LONGEST = 64
"""Letters of the longest word in the vocabulary."""
WORDS_AT_ONCE = 1000
"""Words that hold a needle, up to which asking for each is better than reading the texts."""
FEW_WORDS = 64
"""Words up to which asking for each is better in any case."""
FEW_NEEDLES = 8
"""Needles up to which statements are kept."""
FIRST_WORDS = 8
"""Words that are asked for before texts are read: those that were written first, which are frequent ones."""
BATCH = 500
_FILLED = ((NAME, NEXT, COLUMNS), (PARTS, PARTS_NEXT, PART_COLUMNS))
"""What a rebuild fills: the index, the one that takes its place, and its columns."""

_WORDS = table(NAME, column("rowid", Integer))
_PARTS = table(PARTS, column("rowid", Integer))
_FOUND = (_WORDS.c.rowid + 0).label("content_id")
"""`+ 0` lets the index of words be read first, and contents be looked up by their ids, never the other way."""
_MATCH = literal_column(NAME).op("MATCH")
_SCORE = (-func.bm25(literal_column(NAME), *(literal_column(str(w)) for w in WEIGHTS), type_=Float)).label("score")
_HELD = CONTENT.c.content_id.in_(select(_WORDS.c.rowid).where(_MATCH(bindparam("held"))))
_IN_PARTS = CONTENT.c.content_id.in_(
    select(_PARTS.c.rowid).where(literal_column(PARTS).op("MATCH")(bindparam("parts")))
)
_IDS = {
    name: text(f"SELECT count(*), max(rowid), json_group_array(rowid) FROM {name} WHERE {name} MATCH :fts")  # noqa: S608
    for name in (NAME, NAMES, PARTS)
}
_LEARN = Write(text("INSERT OR IGNORE INTO search_vocabulary(word) SELECT value FROM json_each(:words)"))
_KNOWN = text(
    "SELECT json_group_array(word) FROM (SELECT word FROM search_vocabulary WHERE word_id IN (SELECT rowid"
    " FROM search_letters WHERE search_letters MATCH :letters) ORDER BY word_id LIMIT :limit)"
)
LARGE = 1_000_000
"""Rows that the planner is told of the tables inside the indexes."""
_OWN = " OR ".join(f"tbl LIKE :{name} ESCAPE '!'" for name in ("words", "next", "names", "parts", "letters"))


class SqliteIndex:
    """FTS5."""

    def hits(self, query: Query, fields: frozenset[str], *, scored: bool) -> Select[Any]:
        """Return a SELECT of content_id and score."""
        names = columns_of(fields)
        unwanted = " OR ".join(_term(t) for t in query.unwanted)
        if not query.wanted:
            without = select(_WORDS.c.rowid).where(_MATCH(bindparam("fts", f"{_only(names)}({unwanted})")))
            columns: tuple[Any, ...] = (TEXT.c.content_id, literal(1.0, Float).label("score"))
            return select(*columns[: 1 + scored]).where(TEXT.c.content_id.not_in(without))
        sought = _expression(query, names, scored=scored)
        return select(*(_FOUND, _SCORE)[: 1 + scored]).where(_MATCH(bindparam("fts", sought)))

    def many(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return the ids of all that a query finds when they are very many: one statement."""
        return _many(ctx, _expression(query, columns_of(fields))) if query.wanted else ()

    def named(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return the ids of contents with a word of a query in names, tags or description: one statement."""
        names = [name for name in columns_of(fields) or NAME_COLUMNS if name in NAME_COLUMNS]
        any_term = " OR ".join(_term(t) for group in query.wanted for t in group)
        return numbers_in(_ids(ctx, f"{_only(names)}({any_term})", NAMES)[2]) if names else ()

    def containing(self, ctx: Context, needles: Sequence[str]) -> Condition:
        """Return the condition of contents that hold a needle: over the vocabulary where that can help.

        Three letters stand in an index of their own; most of them are in too many words to ask for each.
        """
        if len(needles) <= FEW_NEEDLES and all(len(needle) == LETTERS for needle in needles):
            expression = " OR ".join('"' + needle.replace('"', '""') + '"' for needle in needles)
            ids = _many(ctx, expression, PARTS)
            return Condition(_IN_PARTS, {"parts": expression}, "parts", ids)
        sought: dict[str, list[str]] = {}
        for needle in needles:
            sought[needle] = [w for w in words(needle) if LETTERS <= len(w) <= LONGEST]
        read = [n for n, parts in sought.items() if not parts]
        parts = {part for found in sought.values() for part in found}
        known = _vocabulary(ctx, parts) if parts else []
        plain = all(sought[n] == [n] for n in needles)  # one word after the other
        if len(known) > WORDS_AT_ONCE:
            first = [[w for w in known if n in w][:FIRST_WORDS] for n in needles] if plain else []
            ids = _many(ctx, _sought([[w for found in first for w in found]])) if any(first) else ()
            if len(needles) > FEW_NEEDLES:
                return Condition(within(reading_through(needles)))
            number, sought_in = len(needles), patterns(needles)
            clause = ctx.kernel.memo(("search.reading", number), lambda: within(reading(number)))
            return Condition(clause, sought_in, f"reading {number}", ids, sought_in)
        held_by = {part: [word for word in known if part in word] for part in parts}
        if plain:
            return _held(ctx, needles, [held_by[n] for n in needles])
        conditions: list[ColumnElement[bool]] = [within(reading_through(read))] if read else []
        whole = [held_by[n] for n in needles if sought[n] == [n]]
        if any(whole):
            conditions.append(CONTENT.c.content_id.in_(_holding([[w for found in whole for w in found]])))
        for needle in needles:
            if sought[needle] and sought[needle] != [needle]:
                held = [held_by[part] for part in sought[needle]]
                if all(held):
                    inside = CONTENT.c.content_id.in_(_holding(held))
                    conditions.append(and_(inside, within(reading_through([needle]))))
        return Condition(or_(*conditions) if conditions else literal(0) == 1)

    def learn(self, ctx: Context, texts: Sequence[str]) -> None:
        """Add the words of texts to the vocabulary, the frequent ones first: one statement."""
        found = Counter(w for one in texts for w in words(one) if LETTERS <= len(w) <= LONGEST)
        if found:
            ordered = [word for word, _ in found.most_common()]
            _LEARN.run(ctx, {"words": msgspec.json.encode(ordered).decode()})

    def settle(self, ctx: Context) -> None:
        """Bring the kinds of contents in line; make the planner take the tables inside the indexes for large ones.

        An ANALYZE that found them nearly empty makes FTS5 read all of its blocks each time that it deletes some,
        which costs 100 ms of every sixteenth save once they are full.
        """
        there = set(ctx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
        if "search_block" in there:
            for statement in SQLITE_KINDS:
                ctx.execute(text(statement))
            if wrong := put_right(ctx.execute):
                log.warning("%d block(s) and time(s) were not as the contents are", wrong)
        if "sqlite_stat1" not in there:
            return
        names = {
            "words": f"{NAME}!_%",
            "next": f"{NEXT}!_%",
            "names": "search!_names!_%",
            "parts": "search!_parts!_%",
            "letters": "search!_letters!_%",
        }
        small = f"UPDATE sqlite_stat1 SET stat = '{LARGE}' WHERE idx IS NULL AND stat <> '{LARGE}' AND ({_OWN})"  # noqa: S608
        changed: Any = ctx.execute(text(small), names)
        if changed.rowcount:  # without a row the planner would keep what it read before
            ctx.execute(text(f"DELETE FROM sqlite_stat1 WHERE idx IS NOT NULL AND ({_OWN})"), names)  # noqa: S608
            ctx.execute(text("ANALYZE sqlite_master"))  # reads the statistics anew, makes none

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Fill a second index in small transactions, then let it take the place of the first in one.

        The index of names, which is small, is made anew in one.
        Writes go into the second one too, as far as it is filled: what it holds is always what is there.
        """
        kernel.run(_begin_filling)
        total = kernel.run(lambda ctx: ctx.execute(select(func.count()).select_from(TEXT)).scalar() or 0)
        done = 0
        while step := kernel.run(_fill):
            done += step
            progress("index of words", done, total)
        kernel.run(_swap)
        kernel.run(lambda ctx: ctx.execute(text(SQLITE_FILL_NAMES)))

    def facts(self, ctx: Context) -> dict[str, Any]:
        """Return the names of what is there and the number of words known."""
        there = set(
            ctx.execute(text("SELECT name FROM sqlite_master WHERE name LIKE 'search!_%' ESCAPE '!'")).scalars()
        )
        needed = {
            NAME,
            "search_letters",
            "search_vocabulary",
            "search_kind",
            "search_block",
            "search_time",
            *KIND_TRIGGERS,
            NAMES,
            PARTS,
            *(f"{index}_{w}" for index in (NAME, NAMES, PARTS) for w in ("added", "changed", "removed")),
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


def _wanted(query: Query, *, scored: bool) -> str:
    return " AND ".join(f"({' OR '.join(_terms(group, scored=scored))})" for group in query.wanted)


def _only(names: Sequence[str]) -> str:
    return f"{{{' '.join(names)}}} : " if names else ""


def _expression(query: Query, names: Sequence[str], *, scored: bool = False) -> str:
    """Return a query that wants something in the syntax of FTS5, in some columns or in all."""
    wanted, unwanted = _wanted(query, scored=scored), " OR ".join(_term(t) for t in query.unwanted)
    return f"{_only(names)}(({wanted}) NOT ({unwanted}))" if unwanted else f"{_only(names)}({wanted})"


def _ids(ctx: Context, expression: str, index: str = NAME) -> Any:
    """Return how many contents an expression finds, the greatest id, and a list of the ids."""
    return ctx.execute(_IDS[index], {"fts": expression}).one()


def _many(ctx: Context, expression: str, index: str = NAME) -> Sequence[int]:
    """Return the ids that an expression finds when they are very many."""
    number, last, ids = _ids(ctx, expression, index)
    return numbers_in(ids) if number >= max(LEAST, 2) and number * SPARSE >= last else ()


def _held(ctx: Context, needles: Sequence[str], known: Sequence[Sequence[str]]) -> Condition:
    """Return the condition of contents that hold one of some needles, by the words that hold each."""
    found = [word for group in known for word in group]
    if not found:
        return Condition(literal(0) == 1)
    expression = _sought([found])
    if len(found) <= FEW_WORDS or len(needles) > FEW_NEEDLES:
        return Condition(_HELD, {"held": expression}, "held", ids=_many(ctx, expression))
    some = _many(ctx, _sought([[word for group in known for word in group[:FIRST_WORDS]]]))
    others = patterns(needles) if some else {}
    return Condition(_HELD, {"held": expression}, "held", ids=some, others=others)


def _vocabulary(ctx: Context, parts: set[str]) -> list[str]:
    """Return the known words that hold a part, the oldest first; one more than are asked for at most."""
    letters = " OR ".join(
        "(" + " AND ".join(f'"{part[i : i + LETTERS]}"' for i in range(len(part) - LETTERS + 1)) + ")"
        for part in sorted(parts)
    )
    found: Any = ctx.execute(_KNOWN, {"letters": letters, "limit": WORDS_AT_ONCE + 1}).scalar()
    return msgspec.json.decode(found, type=list[str])


def _sought(groups: Sequence[Sequence[str]]) -> str:
    """Return what finds contents that hold one word of each group, in the syntax of FTS5."""
    one_of_each = " AND ".join("(" + " OR ".join(f'"{w}"' for w in dict.fromkeys(group)) + ")" for group in groups)
    return f"{{{' '.join(CONTAINED)}}} : ({one_of_each})"


def _holding(groups: Sequence[Sequence[str]]) -> Select[Any]:
    """Return a SELECT of the contents that hold one word of each group."""
    return select(_WORDS.c.rowid).where(_MATCH(bindparam(None, _sought(groups))))


def _begin_filling(ctx: Context) -> None:
    for _, following, _ in _FILLED:
        for statement in sqlite_drop(following):
            ctx.execute(text(statement))
    ctx.execute(text("INSERT OR REPLACE INTO search_state(name, value) VALUES ('rebuild', 0)"))
    for _, following, _ in _FILLED:
        for statement in sqlite_index(following, filling=True):
            ctx.execute(text(statement))


def _fill(ctx: Context) -> int:
    """Fill the second index a step further; returns how many rows that were, 0 at the end."""
    start = ctx.execute(text("SELECT value FROM search_state WHERE name = 'rebuild'")).scalar()
    ids = ctx.execute(
        select(TEXT.c.content_id).where(TEXT.c.content_id > start).order_by(TEXT.c.content_id).limit(BATCH)
    ).scalars().all()  # fmt: skip
    if not ids:
        return 0
    span = {"start": start, "stop": ids[-1]}
    for _, following, columns in _FILLED:
        names = ", ".join(columns)
        ctx.execute(
            text(
                f"INSERT INTO {following}(rowid, {names}) SELECT content_id, {names} FROM search_text"  # noqa: S608
                " WHERE content_id > :start AND content_id <= :stop ORDER BY content_id"
            ),
            span,
        )
    ctx.execute(text("UPDATE search_state SET value = :stop WHERE name = 'rebuild'"), span)
    return len(ids)


def _swap(ctx: Context) -> None:
    while _fill(ctx):
        pass
    for name, following, _ in _FILLED:
        for statement in (
            *sqlite_drop(name), *sqlite_drop(following)[:-1], f"ALTER TABLE {following} RENAME TO {name}",
            *sqlite_triggers(name, ALWAYS),
        ):  # fmt: skip
            ctx.execute(text(statement))
    ctx.execute(text("DELETE FROM search_state WHERE name = 'rebuild'"))
