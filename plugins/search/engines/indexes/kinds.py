"""What is true of each content, in a form that is quick to read for very many of them; on SQLite only.

Contents of the same space, people, type, extension, status and states are of one kind, a number. Blocks hold the
numbers of 256 contents each, eight hexadecimal digits for one: reading those of 100,000 contents takes a
millisecond, looking up as many rows takes fifty. Rights and facets are asked of kinds, which are few.
`search_time` holds the times, so that the newest are found without a look at the others. Triggers keep all three
in line with the contents, row by row, in the transaction of the change; the nightly check compares them.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.sql import visitors

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.core_content.api import CONTENT

from .layout import BLOCK_BITS, DIGITS, KIND_COLUMNS, KIND_TRIGGERS, NO_PARTS, kind_values

LEAST = 2000
"""Hits up to which looking at each one's row costs less than this."""
SPARSE = 50
"""Contents for one hit, from which that is so too."""
WALK = 4000
"""Contents that are looked at, newest or oldest first, before all hits are put in order."""
MOST_KINDS = 1 << 20
"""Kinds, from which they are no more few; numbers that are greater come from damage."""
EMPTY = "0" * DIGITS
PER_BLOCK = 1 << BLOCK_BITS

_TEXTS = ("type", "file_extension", "status")
KIND = table(
    "search_kind", column("kind_id", Integer),
    *(column(name, String if name in _TEXTS else Integer) for name in KIND_COLUMNS),
)  # fmt: skip
_TIME = table(
    "search_time", *(column(name, Integer) for name in ("content_id", "created", "modified", "revision_id"))
)
_NEWEST = (_TIME.c.modified.desc(), _TIME.c.revision_id.desc(), _TIME.c.content_id.desc())
_ORDERS = {
    "first": (_TIME.c.created, (_TIME.c.created,)), "last": (_TIME.c.created, (_TIME.c.created.desc(),)),
    "oldest": (_TIME.c.modified, (_TIME.c.modified,)), "newest": (_TIME.c.modified, _NEWEST),
}  # fmt: skip
_LIMIT = bindparam("limit", type_=Integer)


def _walk_of(name: str) -> Any:
    value, order = _ORDERS[name]
    return select(_TIME.c.content_id, value.label("time")).order_by(*order).limit(_LIMIT)


def _ends_of(name: str) -> Any:
    steps = _walk_of(name).subquery(name)
    return select(literal(name).label("name"), steps.c.content_id, steps.c.time)


_NEWEST_FIRST = Statement(_walk_of("newest"), "StepRow")
_FROM_ENDS = Statement(union_all(*map(_ends_of, _ORDERS)), "EndRow")
# Where a trigger is missing (another plugin made its table anew) the numbers are worth nothing.
_BLOCKS = text(
    "SELECT block, kinds FROM search_block WHERE (SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"  # noqa: S608
    f" AND name IN ({', '.join(repr(name) for name in KIND_TRIGGERS)})) = {len(KIND_TRIGGERS)} ORDER BY block"
)

_NUMBERS = msgspec.json.Decoder(list[int])


def listed(name: str) -> Any:
    """Return a SELECT of the numbers in a bound list, written by `as_list`."""
    return select(func.json_each(bindparam(name, type_=String)).table_valued("value").c.value)


def as_list(ids: Sequence[int]) -> str:
    """Return numbers as `listed` reads them."""
    return msgspec.json.encode(ids).decode()


def gathered(query: Any) -> Any:
    """Return a SELECT of a list for each column of what a query finds: rows one by one cost several times that."""
    rows = query.subquery()
    return select(*(func.json_group_array(c, type_=String).label(f"{c.key}_list") for c in rows.c)).select_from(
        rows
    )


def numbers_in(found: str) -> list[int]:
    """Return the numbers of a list that `gathered` made."""
    return _NUMBERS.decode(found)


def of_kinds(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition over CONTENT as one over KIND; it may ask for columns of kinds only."""

    def replaced(element: Any, **_options: Any) -> Any:
        of = getattr(element, "table", None)
        if of is None or getattr(of, "name", None) != CONTENT.name or element.name not in KIND_COLUMNS:
            return None
        own = KIND.c[element.name]
        return own if element.name not in ("hidden_by", "trashed_at", "archived_at") else func.nullif(own, 0)

    made: ColumnElement[bool] = visitors.replacement_traverse(condition, {}, replaced)
    return made


def kinds_of_all(ctx: Context) -> Sequence[int]:
    """Return the kind of each content, by its id, 0 for none: one statement; () when they cannot be trusted."""
    rows: Any = ctx.execute(_BLOCKS).all()
    if not rows:
        return ()
    if rows[-1][0] + 1 != len(rows):
        there = dict(iter(rows))
        rows = [(i, there.get(i, EMPTY * PER_BLOCK)) for i in range(rows[-1][0] + 1)]
    digits = "".join(map(itemgetter(1), rows))
    if len(digits) != len(rows) * DIGITS * PER_BLOCK:
        return ()
    found = array("I", bytes.fromhex(digits))
    if sys.byteorder == "little":
        found.byteswap()
    return found


class Crowd:
    """Many contents, everybody's, of which some may be shown."""

    def __init__(self, ids: Sequence[int], everybody: Sequence[int]) -> None:
        """Take ids, ascending, at least two, and the kinds of all contents; IndexError when those cannot be."""
        self.ids = ids
        self.among = len(everybody)
        self.kinds: Sequence[int] = itemgetter(*ids)(everybody)
        self.counts = [0] * (min(max(self.kinds), MOST_KINDS) + 1)
        counts = self.counts
        for kind in self.kinds:
            counts[kind] += 1
        self.shown = bytearray(len(counts))
        self.total = 0

    def present(self) -> str:
        """Return the kinds that are there, for `listed`."""
        return as_list([kind for kind, n in enumerate(self.counts) if n and kind])

    def show(self, kinds: Iterable[int]) -> None:
        """Say which kinds may be shown; there are no others in `holds`, `every` and `total`."""
        known = len(self.shown)
        for kind in kinds:
            if kind < known:
                self.shown[kind] = 1
        self.total = sum(compress(self.counts, self.shown))

    def holds(self, content_id: int) -> bool:
        """Tell whether a content is one of them and may be shown."""
        place = bisect_left(self.ids, content_id)
        return place < len(self.ids) and self.ids[place] == content_id and bool(self.shown[self.kinds[place]])

    def every(self) -> list[int]:
        """Return those that may be shown, ascending."""
        return list(compress(self.ids, map(self.shown.__getitem__, self.kinds)))

    def among_those(self, ids: str) -> list[int]:
        """Return which of some contents, in a list as SQLite writes it, are in it and may be shown."""
        some = set(numbers_in(ids))
        return list(filter(self.holds, some)) if len(some) < self.total else list(some.intersection(self.every()))

    def newest(self, ctx: Context, offset: int, limit: int, but: frozenset[int] = frozenset()) -> list[int]:
        """Return a page of those that may be shown, newest first, some left out: a statement, or three."""
        wanted = min(offset + limit, self.total - len(but))
        if wanted <= offset:
            return []
        for most in self._steps(wanted):
            found: list[int] = []
            for content_id, _time in _NEWEST_FIRST.all(ctx, limit=most):
                if content_id not in but and self.holds(content_id):
                    found.append(content_id)
                    if len(found) == wanted:
                        return found[offset:]
        return in_order(ctx, [i for i in self.every() if i not in but], offset, limit)

    def ends(self, ctx: Context) -> tuple[int, int, int, int]:
        """Return when the first and the last was created, and changed: a statement, or three."""
        for most in self._steps(1):
            found: dict[str, int] = {}
            for name, content_id, time in _FROM_ENDS.all(ctx, limit=most):
                if name not in found and self.holds(content_id):
                    found[name] = time
            if len(found) == len(_ORDERS):
                return found["first"], found["last"], found["oldest"], found["newest"]
        row: Any = ctx.execute(_ENDS, {"ids": as_list(self.every())}).one()
        first, last, oldest, newest = row
        return first, last, oldest, newest

    def _steps(self, wanted: int) -> list[int]:
        """Return how many contents to look at until some of these are met: what is likely, then the most."""
        likely = 50 + 4 * wanted * self.among // max(self.total, 1)
        return [likely, WALK] if likely < WALK else [WALK] if likely < 4 * WALK else []


_ENDS = select(
    func.min(_TIME.c.created), func.max(_TIME.c.created), func.min(_TIME.c.modified), func.max(_TIME.c.modified)
).where(_TIME.c.content_id.in_(listed("ids")))  # fmt: skip
_IN_ORDER = Statement(
    select(_TIME.c.content_id)
    .where(_TIME.c.content_id.in_(listed("ids")))
    .order_by(*_NEWEST)
    .limit(bindparam("limit", type_=Integer))
    .offset(bindparam("offset", type_=Integer)),
    "IdRow",
)


def in_order(ctx: Context, ids: Sequence[int], offset: int, limit: int) -> list[int]:
    """Return a page of some contents, newest first: one statement."""
    rows = _IN_ORDER.all(ctx, ids=as_list(ids), limit=limit, offset=offset)
    return [row.content_id for row in rows]


# -- keeping -------------------------------------------------------------------------------------------------

_NAMES = ", ".join(KIND_COLUMNS)
_FILL_KINDS = (
    f"INSERT INTO search_kind({_NAMES}) SELECT DISTINCT {kind_values('c')} FROM core_content_content c"  # noqa: S608
    f" WHERE c.{NO_PARTS} ON CONFLICT DO NOTHING"
)
_FILL_TIMES = (
    "DELETE FROM search_time WHERE content_id NOT IN (SELECT content_id FROM core_content_content"  # noqa: S608
    f" WHERE {NO_PARTS})",
    "INSERT INTO search_time(content_id, created, modified, revision_id) SELECT c.content_id, c.created,"  # noqa: S608
    " c.modified, c.current_revision_id FROM core_content_content c LEFT JOIN search_time t"
    f" ON t.content_id = c.content_id WHERE c.{NO_PARTS} AND (t.created, t.modified, t.revision_id)"
    " IS NOT (c.created, c.modified, c.current_revision_id) ON CONFLICT (content_id)"
    " DO UPDATE SET created = excluded.created, modified = excluded.modified, revision_id = excluded.revision_id",
)
_KINDS_NOW = (
    f"SELECT c.content_id, k.kind_id FROM core_content_content c JOIN search_kind k"  # noqa: S608
    f" ON ({', '.join(f'k.{name}' for name in KIND_COLUMNS)}) = ({kind_values('c')})"
    f" WHERE c.{NO_PARTS} ORDER BY c.content_id"
)
_FORGET_KINDS = "DELETE FROM search_kind WHERE kind_id NOT IN (SELECT value FROM json_each(:used))"


def put_right(execute: Callable[..., Any]) -> int:
    """Write what differs from the contents, and return of how many times and blocks that was so.

    Kinds that no content is of any more are deleted: their numbers stay with deleted contents only.
    Reads all contents, some 3 µs for each. `execute` is that of a connection or of a unit of work.
    """
    execute(text(_FILL_KINDS))
    wrong: int = sum(execute(text(statement)).rowcount for statement in _FILL_TIMES)
    stored = dict(iter(execute(text("SELECT block, kinds FROM search_block")).all()))
    changed: list[dict[str, Any]] = []
    rows = execute(text(_KINDS_NOW)).all()
    execute(text(_FORGET_KINDS), {"used": as_list(list({row[1] for row in rows}))})
    for block, kinds in _blocks(rows):
        if not _same(stored.get(block, ""), kinds):
            changed.append({"block": block, "kinds": "".join(kinds)})
    if changed:
        execute(
            text(
                "INSERT INTO search_block(block, kinds) VALUES (:block, :kinds)"
                " ON CONFLICT (block) DO UPDATE SET kinds = excluded.kinds"
            ),
            changed,
        )
    return wrong + len(changed)


def _blocks(rows: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each block with the digits of its contents."""
    last, digits = -1, [EMPTY] * PER_BLOCK
    for content_id, kind in rows:
        block = content_id >> BLOCK_BITS
        if block != last:
            if last >= 0:
                yield last, digits
            last, digits = block, [EMPTY] * PER_BLOCK
        digits[content_id & (PER_BLOCK - 1)] = f"{kind:0{DIGITS}x}"
    if last >= 0:
        yield last, digits


def _same(stored: str, digits: Sequence[str]) -> bool:
    """Tell whether a block says of all contents that are there what it should; the deleted do not matter."""
    whole = "".join(digits)
    if stored == whole:
        return True
    pairs = ((stored[i * DIGITS : (i + 1) * DIGITS], kind) for i, kind in enumerate(digits))
    return all(had == kind for had, kind in pairs if kind != EMPTY)
