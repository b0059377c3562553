"""Writes of caldav. Each asks for a collection that is held: its row is locked until the unit commits.

So numbers of changes rise in the order of commits, and a reader who has seen number N has been able to see all
before it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import RetryWork
from atrio.kernel.jobs import SECOND

from . import queries, room
from .config import CaldavConfig
from .events import (
    CollectionCreated,
    CollectionDeleted,
    CollectionModified,
    ItemCreated,
    ItemDeleted,
    ItemModified,
)
from .models import COLLECTION, FEED, HREF_LENGTH, ITEM
from .places import WORDS, Place
from .words import words_of

PROPS_BYTES = 256 * 1024
"""Bytes of all properties that clients may leave on one collection."""
UID_LENGTH = 1000
NO_TIME = (-(2**62), 2**62)
DAY = 86400 * SECOND


class CannotKeep(ValueError):
    """An entry or a property cannot be stored as it is: a name or a text without end."""


class TooMany(CannotKeep):
    """The user has as many collections of his own as he may have, or no room for more bytes."""


@dataclass
class Held:
    """A collection whose row this unit has locked."""

    collection_id: int
    path: str
    user_id: int | None
    space_id: int | None
    tag: str
    seq: int

    @property
    def facts(self) -> tuple[int, int | None, int | None, str]:
        """What events tell of it."""
        return self.collection_id, self.user_id, self.space_id, WORDS.get(self.tag, self.tag)


@dataclass(frozen=True)
class Entry:
    """What is stored of an entry: the client's bytes, and what its index needs."""

    body: bytes
    uid: str
    component: str
    times: tuple[int, int] = NO_TIME
    spans: bytes | None = None

    @property
    def etag(self) -> str:
        """The entity tag without quotes: strong, of the bytes alone."""
        return hashlib.sha256(self.body).hexdigest()


def uid_key(uid: str) -> str | None:
    """Return what a UID is looked up by."""
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest() if uid else None


def hold(ctx: Context, place: Place) -> Held | None:
    """Lock a collection until the commit and return it; None for a name that nobody has added.

    The row of a collection that everybody has is made here, by its first write.
    """
    locked = select(COLLECTION).where(COLLECTION.c.path == place.key).with_for_update()
    row = ctx.execute(locked).first()
    if row is None:
        if place.added:
            return None
        try:
            with ctx.savepoint():
                ctx.execute(upsert(ctx.dialect, COLLECTION, ["path"]), _row(ctx, place, place.tag, {}))
        except IntegrityError:  # the space or the user went away at this moment
            raise RetryWork from None
        row = ctx.execute(locked).one()
    return Held(row.collection_id, row.path, row.user_id, row.space_id, row.tag, row.seq)


def _row(ctx: Context, place: Place, tag: str, props: dict[str, str]) -> dict[str, Any]:
    return {
        "path": place.key, "user_id": place.user_id, "space_id": place.space_id, "tag": tag,
        "props": _packed(props), "seq": 0, "floor": 0, "bytes": 0, "created": ctx.now, "modified": ctx.now,
    }  # fmt: skip


def _packed(props: dict[str, str]) -> str:
    text = json.dumps(props, ensure_ascii=False, sort_keys=True)
    if len(text.encode("utf-8", "replace")) > PROPS_BYTES:
        raise CannotKeep("too many properties")
    if "\\u0000" in text or "\x00" in text:
        raise CannotKeep("NUL in a property")
    return text


def add_collection(ctx: Context, place: Place, tag: str, props: dict[str, str]) -> Held:
    """Add a collection to a user's own. TooMany at the limit, RetryWork when the name was taken."""
    limit = ctx.config[CaldavConfig].own_collections
    there = queries.OF_USER.all(ctx, user_id=place.user_id)
    if sum(not _everybodys(row.path) for row in there) >= limit:
        raise TooMany(f"{limit} collections are the most")
    try:
        with ctx.savepoint():
            made: Any = ctx.execute(insert(COLLECTION), _row(ctx, place, tag, props))
    except IntegrityError:
        raise RetryWork from None
    held = Held(int(made.inserted_primary_key[0]), place.key, place.user_id, place.space_id, tag, 0)
    ctx.emit(CollectionCreated(*held.facts))
    return held


def _everybodys(path: str) -> bool:
    home, _, name = path.partition("/")
    return name.startswith("/") or name in (f"{home}_calendar", f"{home}_addressbook", f"{home}_todos")


def set_props(ctx: Context, held: Held, props: dict[str, str]) -> None:
    """Replace what clients set on a collection; CannotKeep when it is too much."""
    ctx.execute(
        update(COLLECTION).where(COLLECTION.c.collection_id == held.collection_id).values(props=_packed(props))
    )
    _next(ctx, held)
    ctx.emit(CollectionModified(*held.facts))


def delete_collection(ctx: Context, held: Held) -> None:
    """Delete a collection that a user added, and everything in it."""
    ctx.execute(delete(COLLECTION).where(COLLECTION.c.collection_id == held.collection_id))
    ctx.emit(CollectionDeleted(*held.facts))


def delete_all_of(ctx: Context, user_id: int) -> None:
    """Delete every collection of a user's own, and his feeds of others'."""
    ctx.execute(delete(COLLECTION).where(COLLECTION.c.user_id == user_id))
    ctx.execute(delete(FEED).where(FEED.c.user_id == user_id))


def _next(ctx: Context, held: Held, more: int = 0) -> int:
    """Return the number of the next change; `more` are the bytes that it adds."""
    held.seq += 1
    ctx.execute(
        update(COLLECTION)
        .where(COLLECTION.c.collection_id == held.collection_id)
        .values(seq=held.seq, modified=ctx.now, bytes=COLLECTION.c.bytes + more)
    )
    return held.seq


def put_item(ctx: Context, held: Held, href: str, entry: Entry, *, tell: bool = True) -> bool:
    """Store an entry under its name; returns whether it is a new one. The same bytes again change nothing.

    CannotKeep for what cannot be stored, TooMany where there is no room. `tell` is False for a collection that is
    kept by us: nobody is told of it, and it counts in no quota.
    """
    if len(href) > HREF_LENGTH or "\x00" in href or "\x00" in entry.uid or len(entry.uid) > UID_LENGTH:
        raise CannotKeep("a name or a UID that is too long")
    state = queries.STATE.first(ctx, collection_id=held.collection_id, href=href)
    if state is not None and not state.deleted and state.etag == entry.etag:
        return False
    more = len(entry.body) - (0 if state is None else state.size)
    if tell and more > 0 and not room.has_room(ctx, held.space_id, held.user_id, more):
        raise TooMany("no room for more")
    words = words_of(entry.body.decode("utf-8", "replace"))
    values = {
        "seq": _next(ctx, held, more), "deleted": 0, "modified": ctx.now, "component": entry.component,
        "tstart": entry.times[0], "tend": entry.times[1], "etag": entry.etag, "uid_key": uid_key(entry.uid),
        "uid": entry.uid, "spans": entry.spans, "body": entry.body,
        **words._asdict(), "words": words.folded,
    }  # fmt: skip
    if state is None:
        ctx.execute(insert(ITEM), {"collection_id": held.collection_id, "href": href, **values})
    else:
        ctx.execute(_one(held, href, update(ITEM)).values(**values))
    new = state is None or bool(state.deleted)
    event = ItemCreated if new else ItemModified
    if tell:
        ctx.emit(event(*held.facts, href, entry.uid, entry.component))
    return new


def delete_item(ctx: Context, held: Held, href: str, *, tell: bool = True) -> bool:
    """Delete an entry; its name stays for clients that ask what changed. False when there was none."""
    state = queries.STATE.first(ctx, collection_id=held.collection_id, href=href)
    if state is None or state.deleted:
        return False
    ctx.execute(
        _one(held, href, update(ITEM)).values(
            seq=_next(ctx, held, -state.size),
            deleted=1,
            modified=ctx.now,
            etag="",
            uid_key=None,
            uid="",
            spans=None,
            summary=None,
            description=None,
            location=None,
            words=None,
            body=None,
        )
    )
    if tell:
        ctx.emit(ItemDeleted(*held.facts, href, state.uid, state.component))
    return True


def _one(held: Held, href: str, statement: Any) -> Any:
    return statement.where(ITEM.c.collection_id == held.collection_id, ITEM.c.href == href)


def move_item(ctx: Context, source: Held, href: str, target: Held, to_href: str) -> None:
    """Move an entry, within a collection or to another; what was under the new name is replaced."""
    row = queries.ONE.first(ctx, collection_id=source.collection_id, href=href)
    if row is None or (source.path == target.path and href == to_href):
        return
    delete_item(ctx, source, href)
    put_item(
        ctx, target, to_href, Entry(bytes(row.body), row.uid, row.component, (row.tstart, row.tend), row.spans)
    )


def forget_deleted(ctx: Context, days: int) -> int:
    """Forget what was deleted longer ago than that; who has not asked since must begin anew. Returns how many."""
    before = ctx.now - days * DAY
    gone = 0
    for row in queries.purgeable(ctx, before):
        ctx.execute(
            select(COLLECTION.c.collection_id)
            .where(COLLECTION.c.collection_id == row.collection_id)
            .with_for_update()
        )
        ctx.execute(
            update(COLLECTION)
            .where(COLLECTION.c.collection_id == row.collection_id, COLLECTION.c.floor < row.seq)
            .values(floor=row.seq)
        )
        done: Any = ctx.execute(
            delete(ITEM).where(
                ITEM.c.collection_id == row.collection_id, ITEM.c.deleted == 1, ITEM.c.seq <= row.seq
            )
        )
        gone += done.rowcount
    return gone


def token_hash(token: str) -> str:
    """Return what a feed's token is looked up by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def make_feed(ctx: Context, held: Held, user_id: int) -> str:
    """Give a user's feed of a calendar a new token and return it; the one before ends."""
    end_feed(ctx, held.collection_id, user_id)
    token = secrets.token_urlsafe(32)
    ctx.execute(
        insert(FEED),
        {
            "token_hash": token_hash(token), "collection_id": held.collection_id, "user_id": user_id,
            "created": ctx.now,
        },
    )  # fmt: skip
    return token


def end_feed(ctx: Context, collection_id: int, user_id: int) -> None:
    """End a user's feed of a calendar; without one nothing happens."""
    ctx.execute(delete(FEED).where(FEED.c.collection_id == collection_id, FEED.c.user_id == user_id))
