"""Listings without the protocol library: properties as text, written block by block (RFC 4918 §9.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from atrio.kernel.db.base import iso_second
from atrio.kernel.http.downloads import safe_media
from atrio.kernel.http.response import Response

from .nodes import SECOND, Node, is_text
from .queries import Around

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.http.request import Request

    from .services.locks import Lock
    from .view import View

SAFE = "/!*'(),$-_|."
"""Characters that addresses keep: Nautilus stumbles over a quoted bracket."""
BLOCK = 64 * 1024
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">'
TAIL = "</D:multistatus>\n"
ENTRY = "<D:lockentry><D:lockscope><D:{0}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
SUPPORTED = f"<D:supportedlock>{ENTRY.format('exclusive')}{ENTRY.format('shared')}</D:supportedlock>"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>\s*")

Writer = Callable[["Lister", Node], str | None]


def plain(name: str) -> str:
    """Return a name without characters that no XML can hold; they are replaced."""
    return _FORBIDDEN.sub("\ufffd", name)


class Lister:
    """Writes nodes of one listing: `names` None for all properties, `blank` for their names alone."""

    def __init__(
        self, view: View, prefix: str, known: Around, names: tuple[str, ...] | None, *, blank: bool = False,
        include: tuple[str, ...] = (), minimal: bool = False,
    ) -> None:  # fmt: skip
        self.view = view
        self.prefix = prefix
        self.known = known
        self.blank = blank
        self.minimal = minimal
        self.whole = names is None
        asked = tuple(n for n in include if n not in LIVE) if names is None else names
        self.live = [(name, _KNOWN[name]) for name in asked if name in _KNOWN]
        self.dead = [name for name in asked if name not in _KNOWN]
        if names is None:
            self.live = [*LIVE.items(), *self.live]

    def response(self, node: Node, path: str) -> str:
        """Return the response element of one node."""
        found, missing = [], []
        for name, write in self.live:
            text = write(self, node)
            if text is not None:
                found.append(f"<D:{name[6:]}/>" if self.blank else text)
            elif not self.whole:
                missing.append(f"<D:{name[6:]}/>")
        dead = self.known.properties.get(node.resource or "", {})
        if self.whole:
            found += [_empty(name) if self.blank else _stored(value) for name, value in dead.items()]
        for name in self.dead:
            if name not in dead:
                missing.append(_empty(name))
            elif not self.whole:
                found.append(_stored(dead[name]))
        parts = [f"<D:response><D:href>{self.href(node, path)}</D:href>"]
        if found or not missing or self.minimal:
            parts.append(_propstat(found, "200 OK"))
        if missing and not self.minimal:
            parts.append(_propstat(missing, "404 Not Found"))
        return "".join([*parts, "</D:response>"])

    def href(self, node: Node, path: str) -> str:
        """Return the address of a node at a path."""
        slash = "/" if node.is_folder and not path.endswith("/") else ""
        return quote(self.prefix + path, safe=SAFE, errors="replace") + slash

    def blocks(self, top: Node, path: str, members: list[Node]) -> Iterator[bytes]:
        """Yield the document in blocks of about 64 KiB."""
        base = "/" + path.strip("/")
        parts = [HEAD, self.response(top, base)]
        size = len(parts[1])
        stem = "" if base == "/" else base
        for node in members:
            text = self.response(node, f"{stem}/{node.name}")
            parts.append(text)
            size += len(text)
            if size >= BLOCK:
                yield "".join(parts).encode()
                parts, size = [], 0
        yield "".join([*parts, TAIL]).encode()

    def active(self, node: Node) -> str:
        """Return what is locked here."""
        locks = self.known.locks.get(node.key or "/", ())
        return "".join(self._lock(lock, node) for lock in locks)

    def _lock(self, lock: Lock, node: Node) -> str:
        left = max((lock.expires - self.view.kernel.clock.now()) // SECOND, 0)
        scope = "exclusive" if lock.exclusive else "shared"
        root = quote(self.prefix + self.view.path_of(lock.path), safe=SAFE) + ("/" if node.is_folder else "")
        return (
            f"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>"
            f"<D:depth>{'infinity' if lock.deep else '0'}</D:depth>{_stored(lock.owner)}"
            f"<D:timeout>Second-{left}</D:timeout><D:locktoken><D:href>{escape(lock.token)}</D:href></D:locktoken>"
            f"<D:lockroot><D:href>{root}</D:href></D:lockroot></D:activelock>"
        )


@lru_cache(maxsize=4096)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _propstat(inside: list[str], status: str) -> str:
    return f"<D:propstat><D:prop>{''.join(inside)}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"


def _stored(xml: str) -> str:
    """Return XML that was parsed and written out when it came; a declaration has no place inside a document."""
    return _DECLARATION.sub("", xml)


def _empty(name: str) -> str:
    """Return an empty element of a name in Clark notation."""
    if not name.startswith("{"):
        return f'<{name} xmlns=""/>'
    space, _, local = name[1:].partition("}")
    if space == "DAV:":
        return f"<D:{local}/>"
    quoted = escape(space, {'"': "&quot;"})
    return f'<{local} xmlns="{quoted}"/>'


def _resourcetype(lister: Lister, node: Node) -> str:
    return f"<D:resourcetype>{'<D:collection/>' if node.is_folder else ''}</D:resourcetype>"


def _creationdate(lister: Lister, node: Node) -> str | None:
    moment = node.created
    return None if moment is None else f"<D:creationdate>{iso_second(moment // SECOND)}</D:creationdate>"


def _getlastmodified(lister: Lister, node: Node) -> str | None:
    moment = node.modified
    return None if moment is None else f"<D:getlastmodified>{_date(moment // SECOND)}</D:getlastmodified>"


def _getcontentlength(lister: Lister, node: Node) -> str | None:
    return None if node.is_folder else f"<D:getcontentlength>{node.size}</D:getcontentlength>"


def _getcontenttype(lister: Lister, node: Node) -> str | None:
    if node.is_folder:
        return None
    media = node.media if node.media.startswith("text/html; ") else safe_media(node.media, api=False)
    return f"<D:getcontenttype>{escape(media)}</D:getcontenttype>"


def _displayname(lister: Lister, node: Node) -> str:
    name = escape(plain(node.name)) or "/"
    return f"<D:displayname>{name}</D:displayname>"


def _getetag(lister: Lister, node: Node) -> str | None:
    return None if node.is_folder else f'<D:getetag>"{node.etag}"</D:getetag>'


def _supportedlock(lister: Lister, node: Node) -> str | None:
    if lister.view.may_write(node):
        return SUPPORTED
    return None if lister.whole else "<D:supportedlock/>"


def _lockdiscovery(lister: Lister, node: Node) -> str | None:
    if lister.whole and not lister.view.may_write(node):
        return None
    return f"<D:lockdiscovery>{lister.active(node)}</D:lockdiscovery>"


def _used(lister: Lister, node: Node) -> str | None:
    room = lister.view.room(node)
    return None if room is None else f"<D:quota-used-bytes>{room[0]}</D:quota-used-bytes>"


def _available(lister: Lister, node: Node) -> str | None:
    room = lister.view.room(node)
    if room is None or room[1] is None:
        return None
    return f"<D:quota-available-bytes>{room[1]}</D:quota-available-bytes>"


ON_REQUEST: dict[str, Writer] = {
    "{DAV:}quota-used-bytes": _used, "{DAV:}quota-available-bytes": _available
}  # fmt: skip
"""Live properties that are told to who names them alone (RFC 4331 §2)."""
LIVE: dict[str, Writer] = {
    "{DAV:}resourcetype": _resourcetype, "{DAV:}creationdate": _creationdate,
    "{DAV:}getcontentlength": _getcontentlength, "{DAV:}getcontenttype": _getcontenttype,
    "{DAV:}getlastmodified": _getlastmodified, "{DAV:}displayname": _displayname, "{DAV:}getetag": _getetag,
    "{DAV:}lockdiscovery": _lockdiscovery, "{DAV:}supportedlock": _supportedlock,
}  # fmt: skip
"""Live properties and who writes each: an element, or None where the node has none."""
_KNOWN = LIVE | ON_REQUEST
PLAIN = frozenset(_KNOWN) - {"{DAV:}lockdiscovery"}
"""Properties for which nobody needs to look at locks and dead properties."""


def propfind(
    ctx: Context | None, view: View, request: Request, body: bytes
) -> Response | Iterator[bytes]:  # fmt: skip
    """Return the document that a PROPFIND asks for in blocks, of one node when it was read; or the refusal."""
    from .adapters.xml import BadXml, asked_of

    path = request.path.removeprefix(request.root_path)
    if not is_text(path):
        return Response(400, b"The path is no text.\n", [], "text/plain")
    try:
        asked = asked_of(body)
    except BadXml as error:
        return Response(400, f"{error}\n".encode(), [], "text/plain")
    node = view.find(path)
    if node is None:
        return Response(404, b"404 Not Found\n", [], "text/plain")
    node = view.measured(node)
    names = asked.names if asked.mode == "prop" else None
    deep = request.headers["depth"] == "1" and node.is_folder
    members: list[Node] = []
    if deep:
        members, known = view.listed(node)
    elif names is not None and PLAIN.issuperset(names):
        known = Around()
    else:
        known = view.known(node)
    lister = Lister(
        view, request.root_path, known, names, blank=asked.mode == "propname",
        include=asked.names if asked.mode == "allprop" else (),
        minimal="return=minimal" in request.headers.get("prefer", ""),
    )  # fmt: skip
    blocks = lister.blocks(node, path, members)
    return blocks if deep else iter(list(blocks))  # one node is written while its unit is open


class Blocks:
    """A document on its way out: its first two blocks, and what makes the rest."""

    def __init__(self, rest: Iterator[bytes]) -> None:
        self.first = next(rest, None)
        self.second = next(rest, None)
        self.rest = rest
