"""Searches that find very many contents, where what is true of all is kept in a form that is quick to read.

The answers are those of the other way, with one difference: contents are not scored one by one. Those come first
in whose names, tags or descriptions a word of the query stands, then the others, the newest first in each part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, String, and_, bindparam, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.core_content.api import CONTENT

from ..models import TEXT
from ..searchables import carried, tag_counts
from . import BUCKETS, ContentSearch, Facet, Hit
from .conditions import shown_to
from .indexes import Condition, Index
from .indexes.fields import reading
from .indexes.kinds import (
    KIND,
    Crowd,
    as_list,
    gathered,
    in_order,
    kinds_of_all,
    listed,
    numbers_in,
    of_kinds,
)

NAMED, OTHERS = 2.0, 1.0
"""Scores of contents that hold a word in names, tags or description, and of those that do not."""


def crowd_of(ctx: Context, index: Index, search: ContentSearch) -> Crowd | None:
    """Return what a search finds when that is very much: two statements, one when it is not.

    Where single contents are asked for their tags or times the hits are looked at one by one.
    """
    times = (search.created.start, search.created.end, search.modified.start, search.modified.end)
    if search.tags or any(time is not None for time in times):
        return None
    ids = index.many(ctx, search.query, search.fields)
    everybody = kinds_of_all(ctx) if ids else ()
    return _crowd(ids, everybody) if ids else None


def counted(
    ctx: Context, crowd: Crowd, conditions: Sequence[ColumnElement[bool]], columns: Sequence[str]
) -> tuple[list[list[Any]], list[int]]:
    """Return the values that kinds have in columns, and their numbers of hits, and show those: one statement."""
    query = gathered(
        select(KIND.c.kind_id, *(KIND.c[name] for name in columns)).where(
            KIND.c.kind_id.in_(listed("present")), *(of_kinds(condition) for condition in conditions)
        )
    )
    lists: Any = ctx.execute(query, {"present": crowd.present()}).one()
    kinds, *values = (msgspec.json.decode(found) for found in lists)
    crowd.show(kinds)
    return values, [crowd.counts[kind] for kind in kinds]


def tags_of(ctx: Context, crowd: Crowd) -> list[Facet] | None:
    """Return the facet of the tags of what is shown: two statements, none where there are no tags."""
    counts = tag_counts(ctx, listed("hits"))
    if counts is None:
        return None
    bearing = carried(ctx)
    bearers = None if bearing is None else ctx.execute(gathered(bearing)).scalar()
    hits = crowd.every() if bearers is None else crowd.among_those(bearers)
    found: Any = ctx.execute(counts.limit(BUCKETS), {"hits": as_list(hits)})
    return [Facet(value, count) for value, count in found]


def page_of(ctx: Context, index: Index, search: ContentSearch, crowd: Crowd) -> list[Hit]:
    """Return one page, those with a word in names first, the newest first: five statements at most."""
    first = [i for i in index.named(ctx, search.query, search.fields) if crowd.holds(i)]
    page: list[Hit] = []
    if search.offset < len(first):
        page = [Hit(i, NAMED) for i in in_order(ctx, first, search.offset, search.limit)]
    wanted = search.limit - len(page)
    if wanted:
        rest = crowd.newest(ctx, max(0, search.offset - len(first)), wanted, frozenset(first))
        page += [Hit(i, OTHERS) for i in rest]
    return page


def newest_of(ctx: Context, held: Condition, search: Any) -> tuple[list[int], int] | None:
    """Return a page of a plain search that finds very many, and the number of all: five statements at most."""
    everybody = kinds_of_all(ctx)
    crowd = _crowd(range(len(everybody)) if held.others else held.ids, everybody)
    if crowd is None:
        return None
    states = {"active": search.active, "deleted": search.deleted, "archived": search.archived}
    shape = ("search.kinds_shown", *states.values(), len(search.content_types))
    shown = ctx.kernel.memo(shape, lambda: _kinds_shown(states, len(search.content_types)))
    values = {"actor_id": search.actor_id, **{f"type_{i}": t for i, t in enumerate(search.content_types)}}
    kinds = numbers_in(shown.value(ctx, **values, present=crowd.present()))
    crowd.show(kinds)
    if held.others:
        left = list(set(crowd.every()).difference(held.ids))
        number = len(held.others)
        reading_of = ctx.kernel.memo(("search.reading_left", number), lambda: _reading_left(number))
        more = numbers_in(reading_of.value(ctx, **held.others, left=as_list(left)))
        crowd = _crowd(sorted((*held.ids, *more)), everybody)
        if crowd is None:
            return None
        crowd.show(kinds)
    return crowd.newest(ctx, search.offset, search.limit) if search.limit else [], crowd.total


def _crowd(ids: Sequence[int], everybody: Sequence[int]) -> Crowd | None:
    """Return contents with their kinds; None when those cannot be trusted."""
    try:
        return Crowd(ids, everybody)
    except (IndexError, TypeError):  # none are there, or not enough, or numbers that no kind has
        return None


def _reading_left(number: int) -> Statement:
    left = TEXT.c.content_id.in_(listed("left"))
    return Statement(gathered(select(TEXT.c.content_id).where(left, reading(number))), "ListRow")


def _kinds_shown(states: dict[str, bool], types: int) -> Statement:
    wanted = shown_to(bindparam("actor_id", type_=BigInteger), **states)
    if types:
        wanted = and_(wanted, CONTENT.c.type.in_([bindparam(f"type_{i}", type_=String) for i in range(types)]))
    query = select(KIND.c.kind_id).where(KIND.c.kind_id.in_(listed("present")), of_kinds(wanted))
    return Statement(gathered(query), "ListRow")
