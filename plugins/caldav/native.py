"""Plain queries of entries, answered from the rows as the library would answer them, without it.

UIDs, ranges of time, names and changes come from indexes; answers are written as text. Whatever is unusual, a
filter that looks into an entry above all, goes to the library: `answer` returns None for it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlparse
from xml.sax.saxutils import escape

from atrio.kernel.context import Context
from atrio.kernel.http.downloads import SANDBOX
from atrio.kernel.http.request import Request
from atrio.kernel.http.response import Response
from atrio.kernel.jobs import SECOND

from . import changes, queries, uids
from .holdings import COLOUR, COMPONENTS, NAME, Holding
from .places import ADDRESSBOOK, CALENDAR
from .spans import EVER, verdict
from .texts import xml_safe

if TYPE_CHECKING:
    from .adapters.wanted import Wanted

MOST_DATA = 10_000
"""Entries with their texts that one answer holds here; the library refuses more events than that."""
COMPRESSED_FROM = 1024
DAV = "1, 3, calendar-access, addressbook, extended-mkcol"
MEDIA = "text/xml; charset=utf-8"
HEADERS = [("x-content-type-options", "nosniff"), ("content-security-policy", SANDBOX)]
DATA = ("C:calendar-data", "CR:address-data")
MULTIGET = {CALENDAR: "C:calendar-multiget", ADDRESSBOOK: "CR:addressbook-multiget"}
SPACES = {
    "C": "urn:ietf:params:xml:ns:caldav", "CR": "urn:ietf:params:xml:ns:carddav",
    "CS": "http://calendarserver.org/ns/", "ICAL": "http://apple.com/ns/ical/",
}  # fmt: skip
OF_COLLECTIONS = frozenset(
    {
        "D:getetag", "D:sync-token", "D:displayname", "D:resourcetype", "D:getcontenttype", "D:getlastmodified",
        "CS:getctag", "C:calendar-description", "CR:addressbook-description", COLOUR, "ICAL:calendar-order",
        COMPONENTS,
    }
)  # fmt: skip
"""What is told of a collection here."""
FEW = 5
"""Entries that are fetched one by one: their statement is the cheapest."""
_PLAIN_NAME = re.compile(r"[^/\x00-\x1f]+")


class _Unusual(Exception):
    """Only the library can tell."""


def answer(ctx: Context, request: Request, holding: Holding, prefix: str, body: bytes) -> Response | None:
    """Return the answer to a plain REPORT or PROPFIND on a collection; None for everything else."""
    from .adapters.wanted import plain_request

    depth = request.headers.get("depth", "0")
    if not holding.exists or holding.place.href is not None or not _utf8(request):
        return None
    wanted = plain_request(body)
    if wanted is None or (wanted.kind == "listing") != (request.method == "PROPFIND"):
        return None
    page = Page(ctx, holding, prefix, wanted)
    try:
        parts = page.listing(depth) if wanted.kind == "listing" else page.report()
    except _Unusual:
        return None
    return _response(request, page.document(parts), listing=wanted.kind == "listing")


def _utf8(request: Request) -> bool:
    _, found, charset = request.headers.get("content-type", "").lower().partition("charset=")
    plain = not found or charset.strip(" \"'") in ("utf-8", "utf8")
    return plain and "content-encoding" not in request.headers


def _response(request: Request, text: str, *, listing: bool) -> Response:
    body, headers = text.encode("utf-8"), list(HEADERS)
    if listing:
        headers.append(("dav", DAV))
    codings = [coding.strip() for coding in request.headers.get("accept-encoding", "").split(",")]
    if len(body) >= COMPRESSED_FROM and "gzip" in codings:
        packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
        headers.append(("content-encoding", "gzip"))
    return Response(207, body, headers, MEDIA)


class Page:
    """One answer: which rows, and how each is written."""

    def __init__(self, ctx: Context, holding: Holding, prefix: str, wanted: Wanted) -> None:
        self.ctx = ctx
        self.holding = holding
        self.wanted = wanted
        self.base = f"{prefix}/{holding.place.path}/"
        self.quoted = quote(self.base)
        self.number = holding.collection_id
        self.with_texts = any(name in DATA for name in wanted.props) and wanted.kind != "listing"
        self.used: set[str] = set()

    def document(self, parts: Iterable[str]) -> str:
        """Return the document; the namespaces that occur in it stand at its root."""
        inside = "".join(parts)
        spaces = "".join(f' xmlns:{p}="{SPACES[p]}"' for p in sorted(self.used - {"D"}))
        head = f"<?xml version='1.0' encoding='utf-8'?>\n<multistatus xmlns=\"DAV:\"{spaces}"
        return f"{head}>{inside}</multistatus>" if inside else f"{head} />"

    def report(self) -> list[str]:
        """Return the responses of a REPORT."""
        wanted, tag = self.wanted, self.holding.tag
        if wanted.kind == "query":
            if tag != CALENDAR:
                raise _Unusual
            return self._found(self._queried())
        if wanted.kind == "multiget":
            if wanted.root != MULTIGET.get(tag):
                raise _Unusual
            return self._named([self._name_in(href) for href in wanted.hrefs])
        if tag not in MULTIGET:
            raise _Unusual
        return self._synced()

    def _queried(self) -> list[Any]:
        wanted = self.wanted
        if not self.number:
            return []
        if wanted.uid is not None:
            row = self.holding.row
            return [row for row in self._rows(uids.find(self.ctx, row, wanted.uid)) if self._is_wanted(row)]
        start, end = wanted.times or EVER
        rows = queries.BRIEF_IN_RANGE.all(self.ctx, collection_id=self.number, start=start, end=end)
        found = sorted((row for row in rows if self._is_wanted(row)), key=lambda row: str(row.href))
        found = [row for row in found if self._happens(row, start, end)]
        return self._rows([row.href for row in found]) if self.with_texts else found

    def _is_wanted(self, row: Any) -> bool:
        return bool(row.component == self.wanted.component)

    def _happens(self, row: Any, start: int, end: int) -> bool:
        if self.wanted.times is None:
            return True
        told = verdict(row, start, end, simple=True)
        if told is None:
            told = decided(self.ctx, self.number, row, start, end)
        if told is None:
            raise _Unusual
        return told

    def _rows(self, hrefs: list[str]) -> list[Any]:
        """Return rows by name, in the order of the names."""
        if self.with_texts and len(hrefs) > MOST_DATA:
            raise _Unusual
        statement = queries.ONE if self.with_texts else queries.BRIEF_ONE
        if len(hrefs) <= FEW:
            one = (statement.first(self.ctx, collection_id=self.number, href=href) for href in hrefs)
            return [row for row in one if row is not None]
        some = queries.some if self.with_texts else queries.some_briefly
        rows = {row.href: row for row in some(self.ctx, self.number, hrefs)}
        return [rows[href] for href in hrefs if href in rows]

    def _name_in(self, href: str) -> str:
        """Return the name that an address has in this collection."""
        try:
            path = unquote(urlparse(href).path)
        except ValueError:
            raise _Unusual from None
        name = path.removeprefix(self.base)
        if not path.startswith(self.base) or not _PLAIN_NAME.fullmatch(name) or name in (".", ".."):
            raise _Unusual
        return name

    def _named(self, names: list[str]) -> list[str]:
        names = list(dict.fromkeys(names))
        rows = self._rows(names) if self.number else []
        there = {row.href for row in rows}
        return [self._gone(name) for name in names if name not in there] + self._found(rows)

    def _synced(self) -> list[str]:
        try:
            since = changes.since(self.holding, self.wanted.token)
        except ValueError:
            raise _Unusual from None
        head = f"<sync-token>{changes.token(self.holding)}</sync-token>"
        if not self.number:
            return [head]
        if since is None:
            rows = queries.BRIEF.all(self.ctx, collection_id=self.number)
        elif self.holding.row.seq == since:
            return [head]
        else:
            rows = queries.BRIEF_SINCE.all(self.ctx, collection_id=self.number, since=since)
        gone = [self._gone(row.href) for row in rows if row.deleted]
        there = [row for row in rows if not row.deleted]
        return [head, *gone, *self._found(self._rows([r.href for r in there]) if self.with_texts else there)]

    def _found(self, rows: list[Any]) -> list[str]:
        return [
            self._response(quote(row.href), [(n, self._of_entry(n, row)) for n in self.wanted.props])
            for row in rows
        ]

    def _gone(self, name: str) -> str:
        return (
            f"<response><href>{self.quoted}{quote(name)}</href><status>HTTP/1.1 404 Not Found</status></response>"
        )

    def _response(self, name: str, told: list[tuple[str, str | None]], *, mixed: bool = False) -> str:
        """Return a response; `mixed` puts what comes first first, found or not."""
        found: list[str] = []
        missing: list[str] = []
        for prop, inside in told:
            self.used.add(prop.partition(":")[0])
            (missing if inside is None else found).append(element(prop, inside or ""))
        stats = [(found, "200 OK"), (missing, "404 Not Found")]
        if mixed and told[0][1] is None:
            stats.reverse()
        inner = "".join(
            f"<propstat><prop>{''.join(props)}</prop><status>HTTP/1.1 {status}</status></propstat>"
            for props, status in stats if props
        )  # fmt: skip
        return f"<response><href>{self.quoted}{name}</href>{inner}</response>"

    def _of_entry(self, name: str, row: Any) -> str | None:
        if name == "D:getetag":
            return f'"{row.etag}"'
        if name == "D:getcontenttype":
            return content_type(row.component)
        if name in DATA:
            return escape(xml_safe(bytes(row.body).decode("utf-8", "replace")))
        return None

    def listing(self, depth: str) -> list[str]:
        """Return the responses of a PROPFIND: of the collection, and unless `depth` is 0 of what is in it."""
        if self.holding.tag not in MULTIGET or not OF_COLLECTIONS.issuperset(self.wanted.props):
            raise _Unusual
        props = self.holding.props()
        told = [(name, self._of_collection(name, props)) for name in self.wanted.props]
        parts = [self._response("", told, mixed=True)]
        if depth == "0" or not self.number:
            return parts
        for row in queries.BRIEF.all(self.ctx, collection_id=self.number):
            told = [(name, self._listed(name, row)) for name in self.wanted.props]
            parts.append(self._response(quote(row.href), told, mixed=True))
        return parts

    def _listed(self, name: str, row: Any) -> str | None:
        if name == "D:getlastmodified":
            return formatdate(row.modified // SECOND, usegmt=True)
        return "" if name == "D:resourcetype" else self._of_entry(name, row)

    def _of_collection(self, name: str, props: dict[str, str]) -> str | None:
        write = WRITERS.get(name)
        if write is not None:
            return write(self, props)
        value = props.get(name)
        return None if value is None else escape(value)

    def resourcetype(self) -> str:
        """Return what kind of collection it is."""
        kind = "C:calendar" if self.holding.tag == CALENDAR else "CR:addressbook"
        self.used.add(kind.partition(":")[0])
        return f"<{kind} /><collection />"

    def components(self, props: dict[str, str]) -> str:
        """Return the components that a calendar takes."""
        self.used.add("C")
        if self.holding.tag != CALENDAR:
            return ""
        names = (props.get(COMPONENTS) or "VTODO,VEVENT,VJOURNAL").split(",")
        return "".join(f'<C:comp name="{escape(name, QUOTES)}" />' for name in names)


QUOTES = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#09;"}
WRITERS: dict[str, Callable[[Page, dict[str, str]], str | None]] = {
    "D:getetag": lambda page, _: f'"{page.holding.version}"',
    "CS:getctag": lambda page, _: f'"{page.holding.version}"',
    "D:sync-token": lambda page, _: changes.token(page.holding),
    "D:displayname": lambda page, props: escape(props.get(NAME) or page.holding.place.path),
    "D:resourcetype": lambda page, _: page.resourcetype(),
    "D:getcontenttype": lambda page, _: "text/calendar" if page.holding.tag == CALENDAR else "text/vcard",
    "D:getlastmodified": lambda page, _: formatdate(
        0 if page.holding.row is None else page.holding.row.modified // SECOND, usegmt=True
    ),
    COMPONENTS: lambda page, props: page.components(props),
}
"""Who writes each property of a collection; others are kept as texts."""


def element(name: str, inside: str) -> str:
    """Return an element by its prefixed name, written as the library does."""
    tag = name.removeprefix("D:")
    return f"<{tag}>{inside}</{tag}>" if inside else f"<{tag} />"


def content_type(component: str) -> str:
    """Return the media type of an entry as listings tell it."""
    media = "text/vcard" if component == "VCARD" else "text/calendar"
    return f"{media};charset=utf-8;component={component}"


def decided(ctx: Context, collection_id: int, row: Any, start: int, end: int) -> bool | None:
    """Tell whether an entry happens in a range beyond its first times; None where only the library can."""
    from .adapters.occurrences import decide

    whole = queries.ONE.first(ctx, collection_id=collection_id, href=row.href)
    if whole is None:
        return False
    return decide(whole.etag, bytes(whole.body).decode("utf-8", "replace"), whole.component, start, end)
