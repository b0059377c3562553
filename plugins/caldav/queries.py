"""Reads of caldav."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.spaces.api import agenda_space_ids

from . import places
from .models import COLLECTION, FEED, ITEM

PAGE = 500
"""How many names go into one statement."""

_collection = (
    COLLECTION.c.collection_id, COLLECTION.c.path, COLLECTION.c.user_id, COLLECTION.c.space_id, COLLECTION.c.tag,
    COLLECTION.c.props, COLLECTION.c.seq, COLLECTION.c.floor, COLLECTION.c.modified,
)  # fmt: skip
_item = (
    ITEM.c.href, ITEM.c.etag, ITEM.c.uid, ITEM.c.component, ITEM.c.tstart, ITEM.c.tend, ITEM.c.modified,
    ITEM.c.spans, ITEM.c.body,
)  # fmt: skip
_here = ITEM.c.collection_id == bindparam("collection_id")
_there = ITEM.c.deleted == 0
BY_PATH = Statement(select(*_collection).where(COLLECTION.c.path == bindparam("path")), "CollectionRow")
BY_ID = Statement(
    select(*_collection).where(COLLECTION.c.collection_id == bindparam("collection_id")), "CollectionRow"
)
OF_USER = Statement(
    select(*_collection).where(COLLECTION.c.user_id == bindparam("user_id")).order_by(COLLECTION.c.collection_id),
    "CollectionRow",
)
OF_SPACES = select(*_collection).where(COLLECTION.c.space_id.in_(bindparam("space_ids", expanding=True)))
ONE = Statement(select(*_item).where(_here, ITEM.c.href == bindparam("href"), _there), "ItemRow")
SOME = select(*_item).where(_here, ITEM.c.href.in_(bindparam("hrefs", expanding=True)), _there)
ALL = Statement(select(*_item).where(_here, _there).order_by(ITEM.c.href), "ItemRow")
IN_RANGE = Statement(
    select(*_item)
    .where(_here, _there, ITEM.c.tstart < bindparam("end"), ITEM.c.tend > bindparam("start"))
    .order_by(ITEM.c.href),
    "ItemRow",
)
_brief = (
    ITEM.c.href, ITEM.c.etag, ITEM.c.component, ITEM.c.tstart, ITEM.c.tend, ITEM.c.modified, ITEM.c.deleted,
)  # fmt: skip
BRIEF_ONE = Statement(select(*_brief).where(_here, ITEM.c.href == bindparam("href"), _there), "BriefRow")
BRIEF_SOME = select(*_brief).where(_here, ITEM.c.href.in_(bindparam("hrefs", expanding=True)), _there)
BRIEF = Statement(select(*_brief).where(_here, _there).order_by(ITEM.c.href), "BriefRow")
BRIEF_SINCE = Statement(
    select(*_brief).where(_here, ITEM.c.seq > bindparam("since")).order_by(ITEM.c.seq), "BriefRow"
)
BRIEF_IN_RANGE = Statement(
    select(*_brief, ITEM.c.spans).where(
        _here, _there, ITEM.c.tstart < bindparam("end"), ITEM.c.tend > bindparam("start")
    ),
    "BriefRow",
)
UIDS = Statement(select(ITEM.c.href, ITEM.c.uid).where(_here, _there), "Uid")
UIDS_SINCE = Statement(
    select(ITEM.c.href, ITEM.c.uid, ITEM.c.deleted).where(_here, ITEM.c.seq > bindparam("since")), "Uid"
)
HREFS = Statement(select(ITEM.c.href).where(_here, _there).order_by(ITEM.c.href), "Href")
TAGS = Statement(select(ITEM.c.href, ITEM.c.etag).where(_here, _there), "Tag")
CHANGES = Statement(select(ITEM.c.href).where(_here, ITEM.c.seq > bindparam("since")).order_by(ITEM.c.seq), "Href")
WITH_UID = Statement(select(ITEM.c.href).where(_here, ITEM.c.uid_key == bindparam("uid_key"), _there), "Href")
STATE = Statement(
    select(
        ITEM.c.href,
        ITEM.c.etag,
        ITEM.c.deleted,
        ITEM.c.uid,
        ITEM.c.component,
        func.coalesce(func.length(ITEM.c.body), 0).label("size"),
    ).where(_here, ITEM.c.href == bindparam("href")),
    "ItemState",
)
BYTES_OF_USER = Statement(
    select(func.coalesce(func.sum(COLLECTION.c.bytes), 0).label("used")).where(
        COLLECTION.c.user_id == bindparam("user_id")
    ),
    "Used",
)
COUNT_ADDED = Statement(
    select(func.count().label("n")).where(COLLECTION.c.user_id == bindparam("user_id")), "Count"
)
BY_TOKEN = Statement(
    select(FEED.c.collection_id, FEED.c.user_id).where(FEED.c.token_hash == bindparam("token_hash")), "FeedRow"
)


def of_spaces(ctx: Context, space_ids: Sequence[int]) -> list[Any]:
    """Return the collections of spaces that have a row: one statement for up to 500 spaces."""
    found: list[Any] = []
    for start in range(0, len(space_ids), PAGE):
        found += ctx.execute(OF_SPACES, {"space_ids": list(space_ids[start : start + PAGE])}).all()
    return found


def some(ctx: Context, collection_id: int, hrefs: Iterable[str]) -> Iterator[Any]:
    """Yield those entries of a collection that are there: one statement for up to 500 names."""
    names = list(hrefs)
    for start in range(0, len(names), PAGE):
        page = names[start : start + PAGE]
        yield from ctx.execute(SOME, {"collection_id": collection_id, "hrefs": page})


def some_briefly(ctx: Context, collection_id: int, hrefs: Iterable[str]) -> Iterator[Any]:
    """Yield the same without their texts."""
    names = list(hrefs)
    for start in range(0, len(names), PAGE):
        page = names[start : start + PAGE]
        yield from ctx.execute(BRIEF_SOME, {"collection_id": collection_id, "hrefs": page})


def purgeable(ctx: Context, before: int) -> list[Any]:
    """Return collection_id and the highest number of entries deleted before a moment, by collection."""
    query = (
        select(ITEM.c.collection_id, func.max(ITEM.c.seq).label("seq"))
        .where(ITEM.c.deleted == 1, ITEM.c.modified < before)
        .group_by(ITEM.c.collection_id)
    )
    return list(ctx.execute(query).all())


def feed_of(ctx: Context, collection_id: int, user_id: int) -> Any | None:
    """Return the feed that a user made of a collection."""
    query = select(FEED.c.token_hash).where(FEED.c.collection_id == collection_id, FEED.c.user_id == user_id)
    return ctx.execute(query).first()


def bytes_in(ctx: Context, spaces: Any) -> int:
    """Return the bytes of entries in the spaces of a SELECT of ids."""
    query = select(func.coalesce(func.sum(COLLECTION.c.bytes), 0)).where(COLLECTION.c.space_id.in_(spaces))
    return int(ctx.execute(query).scalar() or 0)


def entries_seen_by(user_id: int) -> Select[Any]:
    """Return a SELECT of the entries that a user may read: his own, and those of his spaces with a calendar.

    Columns: of the collection `collection_id`, `path`, `tag` (VCALENDAR, VADDRESSBOOK), `owner_id` and `space_id`;
    of the entry `href`, `uid`, `component`, `tstart` and `tend` (its first and last moment, seconds since 1970),
    `modified`, `summary`, `description`, `location`, and `words`, the three of them folded. What plugins give
    is left out.
    """
    return (
        select(
            COLLECTION.c.collection_id, COLLECTION.c.path, COLLECTION.c.tag,
            COLLECTION.c.user_id.label("owner_id"), COLLECTION.c.space_id, ITEM.c.href, ITEM.c.uid,
            ITEM.c.component, ITEM.c.tstart, ITEM.c.tend, ITEM.c.modified, ITEM.c.summary, ITEM.c.description,
            ITEM.c.location, ITEM.c.words,
        )
        .join(COLLECTION, COLLECTION.c.collection_id == ITEM.c.collection_id)
        .where(
            ITEM.c.deleted == 0,
            or_(COLLECTION.c.user_id == user_id, COLLECTION.c.space_id.in_(agenda_space_ids(user_id))),
            COLLECTION.c.path != places.contributed(user_id, places.TODOS, places.CALENDAR).key,
            COLLECTION.c.path.not_like(f"user_{user_id}//%"),
        )
    )  # fmt: skip


def entries_with(
    ctx: Context, user_id: int, words: Sequence[str], offset: int, limit: int
) -> tuple[Sequence[Any], int]:
    """Return a page of the entries that a user may read and that hold all of some folded words, and their number.

    Changed last first; one statement, and one more for a page that is empty.
    """
    seen = entries_seen_by(user_id).subquery("seen")
    wanted = [seen.c.words.contains(word, autoescape=True) for word in words]
    if limit:
        query = (
            select(seen, func.count().over().label("total"))
            .where(*wanted)
            .order_by(seen.c.modified.desc(), seen.c.collection_id, seen.c.href)
            .limit(limit)
            .offset(offset)
        )
        rows: Sequence[Any] = ctx.execute(query).all()
        if rows:
            return rows, int(rows[0].total)
    counted = select(func.count()).select_from(seen).where(*wanted)
    return (), int(ctx.execute(counted).scalar() or 0)
