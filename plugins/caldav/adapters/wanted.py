"""What a REPORT or PROPFIND asks for, where it asks for nothing unusual: everything else is the library's.

None means "not that plain", never "wrong": whoever asks goes on to the library, which knows how to refuse.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime

from ..places import CALENDAR
from ..spans import EVER
from ..texts import ENTRIES
from ..uids import UidFilter

SPACES = {
    "DAV:": "D", "urn:ietf:params:xml:ns:caldav": "C", "urn:ietf:params:xml:ns:carddav": "CR",
    "http://calendarserver.org/ns/": "CS", "http://apple.com/ns/ical/": "ICAL",
}  # fmt: skip
KINDS = {
    "C:calendar-query": "query",
    "C:calendar-multiget": "multiget",
    "CR:addressbook-multiget": "multiget",
    "D:sync-collection": "sync",
    "D:propfind": "listing",
}
PARTS = {
    "query": {"D:prop", "C:filter"},
    "multiget": {"D:prop", "D:href"},
    "sync": {"D:prop", "D:sync-token", "D:sync-level"},
    "listing": {"D:prop"},
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MOMENT = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class Wanted:
    """A plain request. `props` are prefixed names; `root` that of the whole request."""

    kind: str
    root: str
    props: tuple[str, ...]
    component: str | None = None
    uid: UidFilter | None = None
    times: tuple[int, int] | None = None
    hrefs: tuple[str, ...] = ()
    token: str = ""


class _Unusual(Exception):
    """The request is not plain."""


def _tree(body: bytes) -> ET.Element:
    if b"<!" in body:  # document types, comments and CDATA are for whoever is armed against them
        raise _Unusual
    try:
        return ET.fromstring(body.decode("utf-8"))  # noqa: S314 - no document type is in it
    except (ET.ParseError, UnicodeDecodeError, ValueError):
        raise _Unusual from None


def _name(element: ET.Element) -> str:
    space, _, local = element.tag[1:].partition("}")
    if not element.tag.startswith("{") or space not in SPACES or not _NAME.fullmatch(local):
        raise _Unusual
    return f"{SPACES[space]}:{local}"


def plain_request(body: bytes) -> Wanted | None:
    """Return what a body asks for; None where it is not that plain."""
    try:
        root = _tree(body)
        kind = KINDS.get(_name(root))
        if kind is None or root.attrib:
            return None
        parts: dict[str, list[ET.Element]] = {}
        for child in root:
            parts.setdefault(_name(child), []).append(child)
        if parts.keys() - PARTS[kind] or any(len(v) > 1 for k, v in parts.items() if k != "D:href"):
            return None
        props = tuple(_prop(element) for element in parts.get("D:prop", [()])[0])
        if not props:
            return None
        return _of_kind(kind, _name(root), props, parts)
    except _Unusual:
        return None


def _prop(element: ET.Element) -> str:
    if len(element) or element.attrib:
        raise _Unusual
    return _name(element)


def _of_kind(kind: str, root: str, props: tuple[str, ...], parts: dict[str, list[ET.Element]]) -> Wanted:
    if kind == "query":
        return _query(root, props, parts.get("C:filter", []))
    if kind == "multiget":
        hrefs = tuple(dict.fromkeys((e.text or "") for e in parts.get("D:href", [])))
        return Wanted(kind, root, props, hrefs=hrefs)
    token = next(((e.text or "").strip() for e in parts.get("D:sync-token", [])), "")
    return Wanted(kind, root, props, token=token)


def _only(parent: ET.Element, *names: str) -> ET.Element:
    """Return the one child of an element."""
    if len(parent) != 1 or _name(parent[0]) not in names:
        raise _Unusual
    return parent[0]


def _query(root: str, props: tuple[str, ...], filters: list[ET.Element]) -> Wanted:
    if len(filters) != 1 or filters[0].attrib:
        raise _Unusual
    outer = _only(filters[0], "C:comp-filter")
    inner = _only(outer, "C:comp-filter")
    component = inner.get("name", "").upper()
    named = outer.attrib.keys() == inner.attrib.keys() == {"name"}
    if not named or outer.get("name", "").upper() != CALENDAR or component not in ENTRIES:
        raise _Unusual
    if len(inner) == 0:
        return Wanted("query", root, props, component)
    wanted = _only(inner, "C:prop-filter", "C:time-range")
    if _name(wanted) == "C:time-range":
        return Wanted("query", root, props, component, times=_range(wanted))
    return Wanted("query", root, props, component, uid=_uid(wanted))


def _uid(wanted: ET.Element) -> UidFilter:
    match = _only(wanted, "C:text-match")
    if wanted.attrib != {"name": "UID"} or match.attrib.keys() - {"collation"} or len(match) or not match.text:
        raise _Unusual
    return UidFilter(match.text, match.get("collation") == "i;octet", alone=True)


def _range(element: ET.Element) -> tuple[int, int]:
    """Return a range in seconds since 1970; an open end is the end of all years."""
    if not element.attrib or element.attrib.keys() - {"start", "end"} or len(element):
        raise _Unusual
    start, end = element.get("start"), element.get("end")
    low = EVER[0] if start is None else math.floor(_moment(start).timestamp())
    return low, EVER[1] if end is None else math.ceil(_moment(end).timestamp())


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise _Unusual
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _Unusual from None


def earliest(body: bytes) -> datetime | None:
    """Return the first moment that a request asks about; None where it names none, or one without a beginning."""
    try:
        root = _tree(body)
        found = [
            _moment(element.get("start", "")) for element in root.iter()
            if element.tag.rpartition("}")[2] in ("time-range", "expand")
        ]  # fmt: skip
    except _Unusual:
        return None
    return min(found, default=None)
