"""Collections and entries as Radicale sees them, on rows of the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import radicale.item as radicale_item
from radicale.item import filter as radicale_filter
from radicale.storage import BaseCollection

from atrio.kernel.jobs import SECOND

from .. import changes, queries, services, uids
from ..holdings import NAME, Holding
from ..places import ADDRESSBOOK, CALENDAR
from ..services import CannotKeep, Entry, TooMany, uid_key
from ..spans import EVER, verdict
from ..texts import join_calendar, join_cards, xml_safe
from ..uids import UidFilter
from .asking import current
from .occurrences import decide, look_ahead, parsed, spans_of

DAV = "urn:ietf:params:xml:ns:caldav"
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
        """The parsed entry; of its rules what comes long before the days that are asked for may be missing."""
        if self._vobject_item is None:
            self._vobject_item = parsed(str(self._text), ADDRESSBOOK if self._name == "VCARD" else CALENDAR)
            asked_from = current().asked_from
            if asked_from is not None:
                look_ahead(self._vobject_item, asked_from)
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
        return f'"{self.have.version}"' if self.holding is not None else '"0"'

    @property
    def last_modified(self) -> str:
        """The moment of the last write."""
        row = None if self.holding is None else self.holding.row
        return http_date(0 if row is None else row.modified)

    @property
    def have(self) -> Holding:
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
        default = self.have.default_props()
        given = {k: v for k, v in props.items() if default.get(k) != v and k != "tag"}
        with kept():
            services.set_props(current().writing, current().held(self.have), given)
        current().forget()
        self._props = {**default, **given}

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """Return the present token and the names that changed since an old one (RFC 6578 §3.2)."""
        since = changes.since(self.have, old_token)
        return changes.token(self.have), self._changed(since)

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
                names = uids.find(ctx, self.have.row, wanted)
                by_name = {row.href: row for row in queries.some(ctx, self._id, names)}
                found = [by_name[n] for n in names if n in by_name]
                yield from self._with_uid(found, tag, sure=wanted.alone)
                return
            rows = queries.IN_RANGE.all(ctx, collection_id=self._id, start=start, end=end)
        for row in sorted(rows, key=lambda row: str(row.href)):
            if tag is not None and row.component != tag:
                continue
            if tag is None or (start, end) == EVER:
                yield StoredItem(self, row), simple and tag is not None
                continue
            told = _told(row, start, end, simple=simple)
            if told is not False:
                yield StoredItem(self, row), told is True

    def _with_uid(self, rows: list[Any], tag: str | None, *, sure: bool) -> Iterator[tuple[StoredItem, bool]]:
        yield from ((StoredItem(self, row), sure) for row in rows if tag is None or row.component == tag)

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
        with kept():
            services.put_item(asking.writing, asking.held(self.have), href, entry)
        item.href, item.collection, item._etag = href, self, f'"{entry.etag}"'
        return item, old

    def delete(self, href: str | None = None) -> None:
        """Delete an entry, or the collection."""
        asking = current()
        if href is None:
            services.delete_collection(asking.writing, asking.held(self.have))
        else:
            services.delete_item(asking.writing, asking.held(self.have), href)
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
def kept() -> Iterator[None]:
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


def _told(row: Any, start: int, end: int, *, simple: bool) -> bool | None:
    """Tell whether a row matches a filter by time; None where the library has to look into it."""
    told = verdict(row, start, end, simple=simple)
    if told is None:
        text = bytes(row.body).decode("utf-8", "replace")
        told = decide(row.etag, text, row.component, start, end)
    return told if simple or told is False else None


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
