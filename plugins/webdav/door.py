"""The door of the drive: who asks is settled here, once, and then bytes go to and fro without a unit open."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from atrio.kernel.config import ServerConfig
from atrio.kernel.errors import KernelError
from atrio.kernel.http.channel import ClientGone
from atrio.kernel.http.downloads import open_file, send_file
from atrio.kernel.http.request import Request
from atrio.kernel.http.response import FileResponse, Response, error_response
from atrio.kernel.http.security import header_pairs
from atrio.kernel.http.uploads import UploadLimit, read_blob, read_body
from atrio.kernel.http.wsgi import Limits, WsgiBridge, answer
from atrio.plugins.core_content.api import largest_file

from .answers import CONDITIONS, get
from .conditions import NATIVE
from .config import WebdavConfig
from .drive import Drive
from .locking import lock, unlock
from .nodes import is_text
from .propfind import Blocks, propfind
from .saving import SHORT, save_short, store, target

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.channel import Receive, Send

log = logging.getLogger("atrio.webdav")
access = logging.getLogger("atrio.access")
CHALLENGE = [("www-authenticate", 'Basic realm="Atrio", charset="UTF-8"')]
OF_THE_LIBRARY = frozenset({"content-encoding", "content-range"})
"""What makes a PUT one for the library, beside conditions that are not judged here."""
WITH_XML = frozenset({"PROPFIND", "LOCK"})
XML = [("content-type", "application/xml; charset=utf-8"), ("cache-control", "private, no-cache"), ("dav", "1, 2")]
OPTIONS = [("dav", "1, 2"), ("ms-author-via", "DAV"), ("allow", "OPTIONS")]


class Door:
    """The ASGI application below the drive's prefix."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.settings = kernel.config[WebdavConfig]
        server = kernel.config[ServerConfig]
        self.log = server.access_log
        self.pool = kernel.open_pool("webdav", self.settings.threads, server.queue)
        self.limits = Limits(stall_seconds=server.stall_seconds)
        self._bridge: WsgiBridge | None = None

    @property
    def bridge(self) -> WsgiBridge:
        """The protocol library behind its bridge; imported with the first request."""
        if self._bridge is None:
            from .adapters.application import make_application

            settings = self.settings
            application = make_application(
                self.kernel, prefix(settings), lock_seconds=settings.lock_seconds,
                infinity_limit=settings.infinity_limit,
            )  # fmt: skip
            self._bridge = WsgiBridge(application, self.pool, self.limits)
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
                # A line break in the path must not begin a line of the log.
                path = quote(scope["path"], errors="replace")
                access.info(
                    "%s %s %s %d %.1fms", request_id, scope["method"], path, status,
                    (time.perf_counter() - began) * 1000,
                )  # fmt: skip

    async def _serve(self, scope: Any, receive: Receive, send: Send, request_id: str) -> int:
        # The session cookie is no credential here: a page in a browser must not reach the drive by itself.
        kept = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        request = Request({**scope, "headers": kept}, request_id)
        method = scope["method"]
        version = scope.get("http_version", "1.1")
        act, writes = self._native(request, kept, version)
        try:
            if act is target and self._is_at_once(scope, request, version):
                body, receive = await self._read_short(request, receive)
                drive, found = await self.pool.run(self._save, request, body)
            else:
                if method in WITH_XML and act is not None:
                    if _is_short(request, version):
                        body, receive = await self._read_short(request, receive)
                        act = partial(act, body=body)
                    else:  # a long body is read from those alone who signed in
                        act = None
                drive, found = await self.pool.run(self._ask, request, act, writes)
        except KernelError as error:
            return await answer(send, error_response(error))
        except ClientGone:
            return 499
        if drive is None:
            if method == "OPTIONS":
                return await answer(send, Response(200, b"", list(OPTIONS)))
            return await answer(
                send, Response(401, b"Sign in with your Atrio account.\n", list(CHALLENGE), "text/plain")
            )
        if not _is_unicode(scope):
            return await answer(send, Response(400, b"The path is no text.\n", [], "text/plain"))
        inner = {**scope, "headers": kept}
        if method == "PROPFIND" and self._is_plain(request):
            return await self._list(request, drive, receive, send, found)
        if method == "PUT":
            return await self._put(inner, request, receive, send, drive, found)
        if found is not None:
            return await self._send(send, request, found)
        return await self.bridge(inner, receive, send, **{"atrio.drive": drive})

    async def _read_short(self, request: Request, receive: Receive) -> tuple[bytes, Receive]:
        """Return a short body, and who gives it once more; nothing is read where none was announced."""
        if "content-length" not in request.headers:  # by HTTP/1: else it would not be short
            return b"", receive
        body = await read_body(receive, SHORT, self.limits.stall_seconds)
        return body, given_body(body, receive)

    def _native(
        self, request: Request, headers: list[tuple[bytes, bytes]], version: str
    ) -> tuple[Any, bool]:  # fmt: skip
        """Return what answers a request without the protocol library, and whether it writes; None: the library."""
        method, given = request.method, request.headers
        if method in ("GET", "HEAD"):
            return get, False
        if method == "PROPFIND":
            return (propfind if self._is_plain(request) else None), False
        if not self.settings.native or method not in ("PUT", "LOCK", "UNLOCK"):
            return None, False
        conditions = [name for name, _ in headers if name.startswith(b"if-") or name == b"if"]
        if len(set(conditions)) < len(conditions) or not {n.decode("latin-1") for n in conditions} <= NATIVE:
            return None, False
        if method == "PUT":
            return (None if OF_THE_LIBRARY & given.keys() else target), False
        if method == "UNLOCK":
            empty = given.get("content-length", "0") == "0" and _is_short(request, version)
            return (unlock if empty else None), True
        return lock, True

    def _is_at_once(self, scope: Any, request: Request, version: str) -> bool:
        """Tell whether the body of a PUT may be read first, so that one hop asks and saves.

        Not where the client waits to be asked for it, nor where plugins look at files in threads of their own.
        """
        waits = "expect" in request.headers or self.kernel.checks_files
        return not waits and _is_short(request, version) and _is_unicode(scope)

    def _save(self, request: Request, body: bytes) -> tuple[Drive | None, Any]:
        """Ask who saves and where, and save: two units, between which the bytes are made safe on the disk."""
        drive, found = self._ask(request, target, False)
        if drive is not None and isinstance(found, tuple):
            return drive, save_short(request, drive, found, body)
        return drive, found

    def _ask(self, request: Request, act: Any, writes: bool) -> tuple[Drive | None, Any]:
        """Find out who asks, and let `act` find, or do, what he asks for: one hop and one unit.

        Without a drive nobody signed in.
        """

        def asking(ctx: Context) -> tuple[Drive | None, Any]:
            ctx.actor = self.kernel.authenticate(request, ctx)
            if ctx.actor.anonymous:
                return None, None
            drive = Drive(self.kernel, ctx.actor, request.id)
            if act is None or not is_text(request.path):
                return drive, None
            with drive.within(ctx):
                return drive, act(ctx, drive, request)

        drive, found = self.kernel.run(asking, writes=writes, request_id=request.id)
        return drive, (Blocks(found) if isinstance(found, Iterator) else found)

    async def _put(
        self, scope: Any, request: Request, receive: Receive, send: Send, drive: Drive, found: Any
    ) -> int:
        """Ask whether a body is welcome, receive it without holding a thread, and store it.

        What would be refused is refused before the body, and judged again with the body there.
        """
        from .adapters.upload import BodyWanted

        if isinstance(found, Response):
            return await answer(send, found)
        if found is None:
            try:
                return await self.bridge(scope, receive, send, **{"atrio.drive": drive, "atrio.upload": None})
            except BodyWanted:
                pass
        app = self.kernel.app
        try:
            blob = await read_blob(
                receive, self.kernel.blobs, app.receiving, announced=request.content_length,
                limit=UploadLimit(largest_file(self.kernel)), stall_seconds=self.limits.stall_seconds, hold=SHORT,
            )  # fmt: skip
        except KernelError as error:
            return await answer(send, error_response(error))
        except ClientGone:
            return 499
        try:
            await app.check_received(blob)
            if found is not None:
                return await answer(send, await self.pool.run(store, request, drive, found, blob))
            again = Drive(self.kernel, drive.actor, drive.request_id)
            again.since = drive.since
            bare = [(k, v) for k, v in scope["headers"] if k not in (b"content-length", b"transfer-encoding")]
            storing = {"atrio.drive": again, "atrio.upload": blob}
            return await self.bridge({**scope, "headers": bare}, given_body(b"", receive), send, **storing)
        except KernelError as error:
            return await answer(send, error_response(error))
        finally:
            if blob.held:
                blob.discard()
            elif blob.present:
                await app.io.run(blob.discard)

    def _is_plain(self, request: Request) -> bool:
        """Tell whether a listing needs nothing of the protocol library."""
        given = request.headers
        return self.settings.native and given.get("depth") in ("0", "1") and not CONDITIONS & given.keys()

    async def _list(
        self, request: Request, drive: Drive, receive: Receive, send: Send, found: Response | Blocks | None
    ) -> int:  # fmt: skip
        """Answer PROPFIND for a thing and what lies directly in it, block by block."""
        if found is None:
            try:
                body = await read_body(receive, self.limits.buffered_bytes, self.limits.stall_seconds)
                found = await self.pool.run(self._found_late, request, drive, body)
            except KernelError as error:
                return await answer(send, error_response(error))
        if isinstance(found, Response):
            return await answer(send, found)
        block, following = found.first, found.second
        headers = XML if following else [*XML, ("content-length", str(len(block or b"")))]
        await send({"type": "http.response.start", "status": 207, "headers": header_pairs(headers)})
        while block is not None:
            await send({"type": "http.response.body", "body": block, "more_body": following is not None})
            block, following = following, following and await self.pool.run(next, found.rest, None)
        return 207

    def _found_late(self, request: Request, drive: Drive, body: bytes) -> Response | Blocks:
        found = propfind(None, drive, request, body)
        return found if isinstance(found, Response) else Blocks(found)

    async def _send(self, send: Send, request: Request, response: Response) -> int:
        if not isinstance(response, FileResponse):
            if request.method == "HEAD":
                response.headers.append(("content-length", str(len(response.body))))
            return await answer(send, response)
        if request.method != "HEAD":
            try:
                await open_file(self.kernel.app.io, response)
            except KernelError as error:
                return await answer(send, error_response(error))
        headers = [*response.headers, ("content-length", str(response.length))]
        if response.media:
            headers.append(("content-type", response.media))
        try:
            await send(
                {"type": "http.response.start", "status": response.status, "headers": header_pairs(headers)}
            )
            if request.method == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await send_file(send, self.kernel.app.io, response)
        finally:
            response.close()
        return response.status


def prefix(settings: WebdavConfig) -> str:
    """Return the path prefix of the drive, `/webdav` unless configured; at the root of the server it cannot be."""
    return "/" + (settings.root_path.strip("/") or "webdav")


def _is_short(request: Request, version: str) -> bool:
    """Tell whether a body is short and its length known: it may be read before it is asked who sends it."""
    length = request.headers.get("content-length")
    if length is None:  # only HTTP/1 says by this that there is none (RFC 9112 §6.3)
        return version.startswith("1.") and "transfer-encoding" not in request.headers
    return length.isascii() and length.isdigit() and int(length) <= SHORT


def _is_unicode(scope: Any) -> bool:
    try:
        unquote_to_bytes(scope.get("raw_path") or scope["path"].encode()).decode()
    except UnicodeDecodeError:
        return False
    return True


def given_body(body: bytes, receive: Receive) -> Receive:
    """Return the receiver of a body that was read already, and then of whatever the client does."""
    over = False

    async def again() -> Any:
        nonlocal over
        if over:
            return await receive()
        over = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
