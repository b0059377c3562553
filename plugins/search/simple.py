"""The plain search: any of some words, anywhere in the texts, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT

from . import queries
from .choice import index_of
from .engines import ContentHits, Hit
from .engines.conditions import shown_to
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
    """Return one page: two statements on SQLite, one elsewhere, and one more for a page that is empty."""
    needles = tuple(dict.fromkeys(filter(None, (fold(word) for word in search.words))))
    if not needles:
        return ContentHits()
    wanted = and_(
        shown_to(search.actor_id, active=search.active, deleted=search.deleted, archived=search.archived),
        index_of(ctx.kernel).containing(ctx, needles),
    )
    if search.content_types:
        wanted = and_(wanted, CONTENT.c.type.in_(search.content_types))
    ids, total = queries.newest(ctx, wanted, search.offset, search.limit)
    return ContentHits([Hit(content_id) for content_id in ids], total)
