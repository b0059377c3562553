"""Radicale's storage on the kernel's database, and its rights and sign-in on what the kernel knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import radicale.item as radicale_item
from radicale.auth import BaseAuth
from radicale.item import filter as radicale_filter
from radicale.rights import BaseRights
from radicale.storage import BaseCollection, BaseStorage

from atrio.kernel.jobs import SECOND

from .. import places, queries, services
from ..holdings import NAME, Holding
from ..places import ADDRESSBOOK, CALENDAR
from ..services import CannotKeep, Entry, TooMany, uid_key
from ..texts import BOM, join_calendar, join_cards, xml_safe
from .asking import Escape, current
from .occurrences import happens, spans_of

DAV = "urn:ietf:params:xml:ns:caldav"
TOKEN = "data:,"  # noqa: S105 - a sync-token is no secret
FULL = "[Errno 28]"
"""How Radicale is told that there is no room (507)."""


class StoredItem(radicale_item.Item):
    """An entry as it was stored; it is parsed only when a filter looks into it."""

    def __init__(self, collection: Collection, row: Any) -> None:
        text = bytes(row.body).decode("utf-8", "replace")
        super().__init__(
            collection=collection, href=row.href, text=text, etag=f'"{row.etag}"', uid=row.uid,
            name="VCARD" if row.component == "VCARD" else CALENDAR, component_name=row.component,
            time_range=(row.tstart, row.tend), last_modified=http_date(row.modified),
        )  # fmt: skip

    def serialize(self) -> str:
        """Return the text as an XML document can hold it."""
        return xml_safe(str(self._text))

    @property
    def vobject_item(self) -> Any:
        """The parsed entry, repaired in the same way as when it came in."""
        if self._vobject_item is None:
            found = radicale_item.read_components(str(self._text).removeprefix(BOM))
            tag = ADDRESSBOOK if self._name == "VCARD" else CALENDAR
            radicale_item.check_and_sanitize_items(found, max_vevent_rrule_occurrence=0, tag=tag)
            self._vobject_item = found[0]
        return self._vobject_item


class Collection(BaseCollection):
    """The root, a principal, a calendar or an address book. What PROPFIND shows is loaded with it."""

    def __init__(self, path: str, holding: Holding | None, props: Mapping[str, str]) -> None:
        self._path = path
        self._props = dict(props)
        self.holding = holding

    @property
    def path(self) -> str:
        """The path without slashes around it."""
        return self._path

    @property
    def owner(self) -> str:
        """Whoever asks: clients take what belongs to others for something they must not write."""
        return current().login if self._path else ""

    @property
    def is_principal(self) -> bool:
        """True for a user's home."""
        return bool(self._path) and "/" not in self._path

    @property
    def tag(self) -> str:
        """VCALENDAR, VADDRESSBOOK, or nothing."""
        return self._props.get("tag", "")

    @property
    def etag(self) -> str:
        """What every write changes."""
        return f'"{self._have.version}"' if self.holding is not None else '"0"'

    @property
    def last_modified(self) -> str:
        """The moment of the last write."""
        row = None if self.holding is None else self.holding.row
        return http_date(0 if row is None else row.modified)

    @property
    def _have(self) -> Holding:
        assert self.holding is not None, "the root and principals hold no entries"
        return self.holding

    @property
    def _id(self) -> int:
        return 0 if self.holding is None else self.holding.collection_id

    def get_meta(self, key: str | None = None) -> Any:
        """Return one property or all of them."""
        return dict(self._props) if key is None else self._props.get(key)

    def set_meta(self, props: Mapping[str, str]) -> None:
        """Keep what differs from what holds anyway, so that a space's new name is still shown."""
        default = self._have.default_props()
        given = {k: v for k, v in props.items() if default.get(k) != v and k != "tag"}
        with _kept():
            services.set_props(current().writing, current().held(self._have), given)
        current().forget()
        self._props = {**default, **given}

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """Return the present token and the names that changed since an old one (RFC 6578 §3.2)."""
        since = self._since(old_token)
        return f"{TOKEN}{self._have.version}", self._changed(since)

    def _since(self, token: str) -> int | None:
        if not token:
            return None
        number, dash, seq = token.removeprefix(TOKEN).partition("-")
        if not token.startswith(TOKEN) or not dash or not (number + seq).isdigit() or len(token) > 60:
            raise ValueError("no token of ours")
        row = self._have.row
        if int(number) == 0 and int(seq) == 0 and not self._have.place.added:
            since = 0  # from before the first write
        elif row is None or int(number) != row.collection_id:
            raise ValueError("the token of another collection")
        else:
            since = int(seq)
        if row is not None and not row.floor <= since <= row.seq:
            raise ValueError("the token is too old, or never was")
        return since

    def _changed(self, since: int | None) -> Iterator[str]:
        if not self._id:
            return
        with current().reading() as ctx:
            if since is None:
                rows = queries.HREFS.all(ctx, collection_id=self._id)
            else:
                rows = queries.CHANGES.all(ctx, collection_id=self._id, since=since)
        yield from (row.href for row in rows)

    def get_multi(self, hrefs: Iterable[str]) -> Iterator[tuple[str, StoredItem | None]]:
        """Yield each name with its entry, or with None."""
        wanted = list(dict.fromkeys(hrefs))
        with current().reading() as ctx:
            rows = {row.href: row for row in queries.some(ctx, self._id, wanted)} if self._id else {}
        for href in wanted:
            row = rows.get(href)
            yield href, None if row is None else StoredItem(self, row)

    def get_one(self, href: str) -> StoredItem | None:
        """Return one entry."""
        if not self._id:
            return None
        with current().reading() as ctx:
            row = queries.ONE.first(ctx, collection_id=self._id, href=href)
        return None if row is None else StoredItem(self, row)

    def get_all(self) -> Iterator[StoredItem]:
        """Yield every entry."""
        if not self._id:
            return
        with current().reading() as ctx:
            rows = queries.ALL.all(ctx, collection_id=self._id)
        yield from (StoredItem(self, row) for row in rows)

    def get_filtered(self, filters: Iterable[Any]) -> Iterator[tuple[StoredItem, bool]]:
        """Yield what may match, and whether it surely does: by UID and by time from the index."""
        if not self._id or not self.tag:
            return
        filters = list(filters)
        wanted = uid_filter(filters)
        tag, start, end, simple = radicale_filter.simplify_prefilters(filters, self.tag)
        with current().reading() as ctx:
            if wanted is not None:
                rows = queries.with_uid_like(ctx, self._id, wanted.text)
            else:
                rows = queries.IN_RANGE.all(ctx, collection_id=self._id, start=start, end=end)
        for row in rows:
            if tag is not None and row.component != tag:
                continue
            if wanted is not None:
                if not wanted.alone or wanted.matches(row.uid):
                    yield StoredItem(self, row), wanted.alone
                continue
            matched = simple and (start <= row.tstart or row.tend <= end)
            if tag is not None and not matched and row.spans is not None:
                verdict = happens(bytes(row.spans), start, end)
                if verdict is False:
                    continue
                matched = simple and verdict is True
            yield StoredItem(self, row), matched

    def has_uid(self, uid: str) -> bool:
        """Tell whether an entry has this UID."""
        if not self._id or not uid:
            return False
        with current().reading() as ctx:
            return queries.WITH_UID.first(ctx, collection_id=self._id, uid_key=uid_key(uid)) is not None

    def upload(self, href: str, item: Any) -> tuple[Any, Any]:
        """Store an entry: the bytes that the client sent, not what the parser makes of them."""
        asking = current()
        old = self.get_one(href)
        body = asking.body if asking.body is not None else item.serialize().encode()
        component = item.component_name or item.name
        entry = Entry(body, item.uid, component, _times(item), spans_of(item))
        with _kept():
            services.put_item(asking.writing, asking.held(self._have), href, entry)
        item.href, item.collection, item._etag = href, self, f'"{entry.etag}"'
        return item, old

    def delete(self, href: str | None = None) -> None:
        """Delete an entry, or the collection."""
        asking = current()
        if href is None:
            services.delete_collection(asking.writing, asking.held(self._have))
        else:
            services.delete_item(asking.writing, asking.held(self._have), href)
        asking.forget()

    def serialize(self, vcf_to_ics: bool = False, ShareActions: Any = None) -> str:  # noqa: N803
        """Return everything in one file."""
        texts = (item.serialize() for item in self.get_all())
        if self.tag == ADDRESSBOOK:
            return join_cards(texts)
        if self.tag != CALENDAR:
            return ""
        return join_calendar(texts, self._props.get(NAME, ""), self._props.get("C:calendar-description", ""))


@contextmanager
def _kept() -> Iterator[None]:
    """Turn what cannot be kept into Radicale's words, and make sure that nothing of it is committed."""
    try:
        yield
    except TooMany as error:
        current().spoiled = True
        raise ValueError(f"{FULL} {error}") from None
    except CannotKeep:
        current().spoiled = True
        raise


def _times(item: Any) -> tuple[int, int]:
    start, end = item.time_range
    low, high = services.NO_TIME
    return max(low, int(start)), min(high, int(end))


@dataclass(frozen=True)
class UidFilter:
    """A filter that wants a text in the UID; `alone` where it wants nothing else but the kind of component."""

    text: str
    exact_case: bool
    alone: bool

    def matches(self, uid: str) -> bool:
        """Tell whether a UID has the text in it (RFC 4791 §9.7.5)."""
        return self.text in uid if self.exact_case else self.text.lower() in uid.lower()


def uid_filter(filters: list[Any]) -> UidFilter | None:
    """Return what the UID must contain, where one filter asks for it and for nothing that widens it."""
    if len(filters) != 1:
        return None
    element, names = filters[0], []
    while len(element) == 1 and element[0].tag == f"{{{DAV}}}comp-filter":
        element = element[0]
        names.append(element.get("name", "").upper())
    for child in element:
        if child.tag == f"{{{DAV}}}prop-filter" and child.get("name", "").upper() == "UID":
            match = child.find(f"{{{DAV}}}text-match")
            if len(child) == 1 and match is not None and match.text and match.get("negate-condition") != "yes":
                plain = match.get("match-type", "contains") == "contains"
                alone = len(element) == 1 and plain and len(names) == 2 and names[0] == CALENDAR
                return UidFilter(match.text, match.get("collation") == "i;octet", alone)
    return None


def http_date(micros: int) -> str:
    """Return a moment as HTTP writes it (RFC 9110 §5.6.7)."""
    return formatdate(micros // SECOND, usegmt=True)


class Storage(BaseStorage):
    """Collections and entries in the database; the unit of work is the lock."""

    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def discover(
        self, path: str, depth: str = "0", child_context_manager: Any = None,
        user_groups: set[str] | None = None,
    ) -> Iterator[Any]:  # fmt: skip
        """Yield what a path names, and what is right inside it unless `depth` is 0."""
        place = places.parse(path)
        asking = current()
        if place is None:
            return
        if place.kind == "root":
            yield Collection("", None, {})
            if depth != "0":
                yield from self.discover(f"/{asking.login}/")
        elif place.kind == "principal":
            if place.home != asking.user_id:
                return
            yield Collection(place.path, None, {NAME: asking.public_name})
            if depth != "0":
                yield from (_collection(holding) for holding in asking.home())
        else:
            yield from self._in_collection(path, place.href, depth)

    def _in_collection(self, path: str, href: str | None, depth: str) -> Iterator[Any]:
        holding = current().holding(path)
        if holding is None or not holding.exists:
            return
        collection = _collection(holding)
        if href is not None:
            item = collection.get_one(href)
            if item is not None:
                yield item
            return
        yield collection
        if depth != "0":
            yield from collection.get_all()

    def move(self, item: Any, to_collection: Any, to_href: str) -> None:
        """Move an entry."""
        asking = current()
        source, target = asking.held(item.collection.holding), asking.held(to_collection._have)
        with _kept():
            services.move_item(asking.writing, source, item.href, target, to_href)

    def create_collection(
        self, href: str, items: Any = None, props: Mapping[str, str] | None = None
    ) -> tuple[Collection, dict[str, Any], list[str]]:
        """Add a collection to the user's own."""
        place = places.parse(href)
        tag = (props or {}).get("tag", "")
        if place is None or place.kind != "collection" or not place.added or place.href is not None:
            raise ValueError("no collection can be added here")
        if tag not in (CALENDAR, ADDRESSBOOK):
            raise ValueError("only calendars and address books are kept")
        kept = {k: v for k, v in (props or {}).items() if k != "tag"}
        with _kept():
            services.add_collection(current().writing, place, tag, kept)
        current().forget()
        holding = current().holding(href)
        assert holding is not None
        return _collection(holding), {}, []

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        """Open the unit of work; a writing one locks the collections that the request names."""
        paths = None
        if mode == "w":
            paths = tuple(kwargs[name] for name in ("path", "to_path") if kwargs.get(name))
        with current().unit(paths):
            yield

    def verify(self) -> bool:
        """Nothing can be wrong here that the database does not see."""
        return True


def _collection(holding: Holding) -> Collection:
    return Collection(holding.place.path, holding, holding.props())


class Rights(BaseRights):
    """Rights from roles."""

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        """Return the letters of a path."""
        try:
            return current().letters(path)
        except Exception as error:
            raise Escape(error) from error


class Auth(BaseAuth):
    """The kernel has authenticated the request."""

    def get_external_login(self, environ: Mapping[str, Any]) -> tuple[()] | tuple[str, str]:
        """Return who asks."""
        return current().login, ""

    def _login(self, login: str, password: str) -> str:
        return login
