"""What other plugins may use of caldav."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import Select, or_, select

from atrio.plugins.spaces.api import agenda_space_ids

from . import places
from .models import COLLECTION, ITEM


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


def address_of(user_id: int, row: Any) -> str:
    """Return the address of an entry, below the server's own, as it lies in a user's home."""
    return f"/dav/user_{user_id}/{quote(row.path.partition('/')[2])}/{quote(row.href)}"


__all__ = ["address_of", "entries_seen_by"]
