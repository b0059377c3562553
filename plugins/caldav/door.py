"""The door of /dav: who asks, and what for, is settled here; then the protocol library answers."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from atrio.kernel.config import ServerConfig, base_url
from atrio.kernel.context import Actor, Context
from atrio.kernel.errors import BodyTooLarge, KernelError, PageNotFound
from atrio.kernel.http.channel import ClientGone
from atrio.kernel.http.request import Request
from atrio.kernel.http.response import Response, error_response
from atrio.kernel.http.security import header_pairs
from atrio.kernel.http.uploads import read_body
from atrio.kernel.http.wsgi import Limits, WsgiBridge, answer

from . import contributed, holdings, native, places, queries
from .answers import XML, entry_answer, failed, too_large
from .conditions import Conditions
from .config import CaldavConfig
from .errors import CaldavNotAuthenticated, CaldavNotAuthorized
from .holdings import MANAGE, WRITE, Holding, Seen
from .places import READS, Place

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.channel import Receive, Send

log = logging.getLogger("atrio.caldav")
access = logging.getLogger("atrio.access")
PREFIX = "/dav"
ASKED = "atrio.caldav"
"""Key of the environ for what the door knows: kernel, actor, request id, the collection that was asked for."""
CAPABILITIES = "1, 3, calendar-access, addressbook, extended-mkcol"
METHODS = "DELETE, GET, HEAD, MKCALENDAR, MKCOL, MOVE, OPTIONS, PROPFIND, PROPPATCH, PUT, REPORT"
OPTIONS = [("dav", CAPABILITIES), ("allow", METHODS)]
OWN_SITE = ("same-origin", "none")
XML_BYTES = 1024 * 1024
PLAIN_BYTES = 256 * 1024
"""Bytes of a request that is read before anybody asks who sent it."""
ABOUT = (
    "Calendars and address books.\n\nGive this address, or only the name of this host, to your calendar program; "
    "sign in with your Atrio account.\n"
)


@dataclass(frozen=True)
class Asked:
    """Who asks for what."""

    actor: Actor
    holding: Holding | None
    item: Any = None
    answer: Response | None = None

    def changes_given(self, method: str) -> bool:
        """Tell whether a plugin has to take over what a client did to an entry of its collection."""
        found = self.holding
        inside = found is not None and found.given is not None and found.place.href is not None
        return inside and method in ("PUT", "DELETE")


class Door:
    """The ASGI application below /dav."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.settings = kernel.config[CaldavConfig]
        server = kernel.config[ServerConfig]
        self.log = server.access_log
        self.pool = kernel.open_pool("caldav", self.settings.threads, server.queue)
        self.stall = server.stall_seconds
        self._bridge: WsgiBridge | None = None

    @property
    def bridge(self) -> WsgiBridge:
        """The protocol library behind its bridge; imported with the first request."""
        if self._bridge is None:
            from .adapters.application import Front

            limits = Limits(frozenset(), max(XML_BYTES, self.settings.item_bytes), self.stall)
            self._bridge = WsgiBridge(Front(self.settings.item_bytes), self.pool, limits)
        return self._bridge

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = time.perf_counter()
        request_id = secrets.token_hex(8)
        status = 499
        try:
            status = await self._serve(scope, receive, send, request_id)
        finally:
            if self.log:
                path = quote(scope["path"], errors="replace")
                access.info(
                    "%s %s %s %d %.1fms", request_id, scope["method"], path, status,
                    (time.perf_counter() - began) * 1000,
                )  # fmt: skip

    async def _serve(self, scope: Any, receive: Receive, send: Send, request_id: str) -> int:
        request = Request({**scope, "headers": believed(scope["headers"])}, request_id)
        try:
            path = below(scope)
        except UnicodeDecodeError:
            return await say(send, request, Response(400, b"The path is no text.\n", [], "text/plain"))
        preflight = self.kernel.app.gate.preflight(request)
        if preflight is not None:
            return await say(send, request, Response(200, b"", preflight))
        body: bytes | Response | None = None
        if self._may_be_plain(request):
            body = await self._body(request, receive)
            if isinstance(body, Response):
                return await say(send, request, body)
        try:
            asked = await self.pool.run(self._look, request, path, body)
        except CaldavNotAuthenticated as error:
            if request.method == "OPTIONS":
                return await say(send, request, Response(200, b"", list(OPTIONS)))
            return await say(send, request, error_response(error))
        except KernelError as error:
            return await say(send, request, error_response(error))
        conditions = Conditions.of(scope["headers"])
        ready = asked.answer or self._shortcut(request, asked, conditions)
        if ready is not None:
            return await say(send, request, ready)
        if body is None:
            body = await self._body(request, receive)
        if isinstance(body, Response):
            return await say(send, request, body)
        if asked.changes_given(request.method):
            return await say(send, request, await self.pool.run(self._hand_over, request, asked, conditions, body))
        given = (self.kernel, asked.actor, request_id, asked.holding, conditions)
        environ = {"PATH_INFO": path, "SCRIPT_NAME": public_prefix(self.kernel, request.root_path), ASKED: given}
        return await self.bridge(scope, _again(body, receive), send, **environ)

    def _may_be_plain(self, request: Request) -> bool:
        """Tell whether the answer may come from the rows alone: then the body is wanted with the first look."""
        small = request.content_length is not None and request.content_length <= PLAIN_BYTES
        return self.settings.native and small and request.method in ("REPORT", "PROPFIND")

    async def _body(self, request: Request, receive: Receive) -> bytes | Response:
        """Return the whole body, or why it is not taken; no thread waits for it."""
        entry = request.method == "PUT"
        try:
            body = await read_body(receive, self.settings.item_bytes if entry else XML_BYTES, self.stall)
        except BodyTooLarge as error:
            return Response(403, failed(too_large("")), [], XML) if entry else error_response(error)
        except ClientGone:
            return Response(400, b"The body broke off.\n", [], "text/plain")
        if request.content_length is not None and request.content_length != len(body):
            return Response(400, b"The body is not as long as was announced.\n", [], "text/plain")
        return body

    def _look(self, request: Request, path: str, body: bytes | None) -> Asked:
        if may_list_given(request, places.parse(path)):
            asked = self.kernel.run(lambda ctx: self._look_in(ctx, request, path, None), writes=False)
            if asked.holding is None or asked.holding.given is not None:
                word = None if asked.holding is None or asked.holding.given is None else asked.holding.given.word
                contributed.renew(self.kernel, int(asked.actor.id or 0), word, actor=asked.actor)
        return self.kernel.run(lambda ctx: self._look_in(ctx, request, path, body), writes=False)

    def _hand_over(self, request: Request, asked: Asked, conditions: Conditions, body: bytes) -> Response:
        assert asked.holding is not None
        assert asked.holding.given is not None, "the collection of a plugin"
        given, href = asked.holding.given, str(asked.holding.place.href)
        told = body if request.method == "PUT" else None
        return contributed.change(self.kernel, asked.actor, given, href, conditions, told)

    def _look_in(self, ctx: Context, request: Request, path: str, body: bytes | None) -> Asked:
        """Return who asks and what for; refuses strangers, and what no role of his allows."""
        actor = self.kernel.authenticate(request, ctx)
        if actor.anonymous or actor.id is None:
            raise CaldavNotAuthenticated("sign in with your Atrio account")
        place = places.parse(path)
        if place is None or any("\ud800" <= c <= "\udfff" or c == "\x00" for c in path):
            raise PageNotFound("no calendar and no address book lies there")
        if place.kind != "collection":
            if place.kind == "principal" and place.home != actor.id:
                raise CaldavNotAuthorized("not your home")
            if request.method not in READS:
                raise CaldavNotAuthorized("this cannot be changed")
            return Asked(actor, None)
        seen = Seen(actor.id, str(getattr(actor.data, "public_name", "")))
        holding = holdings.find(ctx, seen, place)
        refuse(request.method, holding)
        item = None
        if request.method in ("GET", "HEAD") and place.href is not None and holding.collection_id:
            item = queries.ONE.first(ctx, collection_id=holding.collection_id, href=place.href)
        answer_ = None
        if body is not None:
            answer_ = native.answer(ctx, request, holding, public_prefix(self.kernel, request.root_path), body)
        return Asked(actor, holding, item, answer_)

    def _shortcut(self, request: Request, asked: Asked, conditions: Conditions) -> Response | None:
        """Return an entry's bytes, or a word for people with a browser; None for what the library answers."""
        if request.method not in ("GET", "HEAD"):
            return None
        if asked.holding is None:
            return Response(200, ABOUT.encode(), [("cache-control", "no-store")], "text/plain; charset=utf-8")
        if asked.item is None:
            return None
        return entry_answer(asked.item, conditions)


ADDS = frozenset({"MKCOL", "MKCALENDAR"})


def may_list_given(request: Request, place: Place | None) -> bool:
    """Tell whether an answer may show a contributed collection, or the tag that tells of its changes."""
    if place is None:
        return False
    return bool(place.word) or (place.kind == "principal" and request.headers.get("depth", "0") != "0")


def refuse(method: str, holding: Holding) -> None:
    """Raise CaldavNotAuthorized for what the user's role does not allow, before a body is read."""
    if method in READS:
        return
    place = holding.place
    if holding.given is not None:
        able = {"PUT": holding.given.write, "DELETE": holding.given.delete}.get(method)
        allowed = able is not None if place.href is not None else method == "PROPPATCH"
    elif method in ADDS:
        allowed = place.added and place.href is None
    elif method == "PROPPATCH":
        allowed = holding.level >= MANAGE
    elif place.href is None:
        allowed = method == "DELETE" and place.added
    else:
        allowed = holding.level >= WRITE
    if not allowed:
        raise CaldavNotAuthorized(f"{method} is not allowed here")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a body that was read already as the one message of a request; what follows it is the client's."""
    given = False

    async def once() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def say(send: Send, request: Request, response: Response) -> int:
    """Send an answer; to HEAD without its body (RFC 9110 §9.3.2)."""
    if request.method != "HEAD" or not response.body:
        return await answer(send, response)
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    if response.media:
        headers.append(("content-type", response.media))
    await send({"type": "http.response.start", "status": response.status, "headers": header_pairs(headers)})
    await send({"type": "http.response.body", "body": b""})
    return response.status


def believed(headers: Any) -> list[tuple[bytes, bytes]]:
    """Return the headers without the session cookie, unless a page of this site sent it (RFC: Fetch Metadata)."""
    site = next((value for name, value in headers if name == b"sec-fetch-site"), b"").decode("latin-1")
    return [(n, v) for n, v in headers if n != b"cookie" or site in OWN_SITE]


def below(scope: Any) -> str:
    """Return the decoded path below the mount; UnicodeDecodeError where the bytes are no UTF-8."""
    raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    return unquote_to_bytes(raw).decode().removeprefix(scope.get("root_path", "")) or "/"


def public_prefix(kernel: Kernel, root_path: str) -> str:
    """Return the path of the mount as clients see it: below the path of `website.base_url`, where it has one."""
    outer = root_path.removesuffix(PREFIX)
    return (outer or urlsplit(base_url(kernel.config)).path.rstrip("/")) + PREFIX
