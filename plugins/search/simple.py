"""The plain search: any of some words, anywhere in the texts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import BigInteger, String, and_, bindparam

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT

from . import queries
from .choice import index_of
from .engines import ContentHits, Hit
from .engines.conditions import shown_to
from .engines.indexes import Condition
from .engines.many import newest_of
from .folding import fold


@dataclass(frozen=True)
class PlainSearch:
    """What is looked for, by whom, and which part of it is wanted. No `content_types` means all of them."""

    actor_id: int
    words: Sequence[str]
    content_types: Sequence[str] = ()
    active: bool = True
    deleted: bool = False
    archived: bool = False
    offset: int = 0
    limit: int = 10


def find_plainly(ctx: Context, search: PlainSearch) -> ContentHits:
    """Return one page: three statements on SQLite, one elsewhere, and one more for a page that is empty.

    Very many hits are nine statements at most.
    """
    needles = tuple(dict.fromkeys(filter(None, (fold(word) for word in search.words))))
    if not needles:
        return ContentHits()
    held = index_of(ctx.kernel).containing(ctx, needles)
    many = newest_of(ctx, held, search) if held.ids else None
    if many is not None:
        return ContentHits([Hit(content_id) for content_id in many[0]], many[1])
    values = {
        **held.values, "actor_id": search.actor_id, "limit": search.limit, "offset": search.offset,
        **{f"type_{i}": name for i, name in enumerate(search.content_types)},
    }  # fmt: skip
    make = partial(_page_of, search, held)
    if held.shape:
        shape = (held.shape, search.active, search.deleted, search.archived, len(search.content_types))
        page = ctx.kernel.memo(("search.plain", *shape), make)
    else:
        page = make()
    ids, total = page.read(ctx, values)
    return ContentHits([Hit(content_id) for content_id in ids], total)


def _page_of(search: PlainSearch, held: Condition) -> queries.Newest:
    """Return the statements for all searches of one shape: what differs are the values."""
    states = {"active": search.active, "deleted": search.deleted, "archived": search.archived}
    wanted = and_(shown_to(bindparam("actor_id", type_=BigInteger), **states), held.clause)
    if search.content_types:
        names = [bindparam(f"type_{i}", type_=String) for i in range(len(search.content_types))]
        wanted = and_(wanted, CONTENT.c.type.in_(names))
    return queries.Newest(wanted)
