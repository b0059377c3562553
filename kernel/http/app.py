"""The ASGI application: one request from the socket to the answer.

router → body → one hop to a thread → unit of work → authenticate → guards → schema → service → events →
commit → dump. No transaction is open while bytes go over the wire.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zlib import crc32

import msgspec

from ..blobs import TemporaryBlob
from ..config import DebugConfig, ServerConfig
from ..context import Context
from ..db.work import RETRIES, Work, is_retryable, pause
from ..errors import (
    BodyTooLarge,
    DiskFull,
    InternalError,
    KernelError,
    MethodNotAllowed,
    PageNotFound,
    ServiceUnavailable,
    ValidationFailed,
    full_disk,
)
from ..storage import known
from .channel import ClientGone, Receive, Send
from .downloads import open_file, send_file, send_stream
from .drain import DrainEarlyAnswers
from .guards import check_all
from .pool import WorkPool
from .request import Request
from .response import (
    FileResponse,
    LateResponse,
    Response,
    StreamResponse,
    error_response,
    json_response,
    redirect,
)
from .route import Call, Route
from .schema import load
from .security import Gate, header_pairs
from .sink import Sink, read_into
from .uploads import Upload, UploadLimit, read_body, read_upload

if TYPE_CHECKING:
    from ..host import Kernel

log = logging.getLogger("atrio.http")
access = logging.getLogger("atrio.access")
JSON_TYPES = ("application/json", "application/json-rpc", "application/merge-patch+json")

RECEIVING = 5
"""The niceness of threads that take in bodies."""
SECRET = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.I)
"""A UUID in a path: the secret of a link for people without an account, for example."""


def without_secrets(path: str) -> str:
    """Return a path as logs may hold it: what could be the secret of a link is left out."""
    return SECRET.sub("***", path)


class App:
    """The application of one process; `atrio.asgi:app` and `atrio serve` use it."""

    def __init__(self, kernel: Kernel) -> None:
        server = kernel.config[ServerConfig]
        self.kernel = kernel
        self.server = server
        self.debug = kernel.config[DebugConfig].traceback
        self.gate = Gate(kernel.config)
        self.pool = WorkPool("http", server.threads, server.queue, kernel.db.close_thread)
        self.io = WorkPool("io", kernel.blobs.threads, 4096)
        # Hashing and writing large bodies gives way to short requests where there are too few cores for both.
        self.receiving = WorkPool("receive", kernel.blobs.threads, 4096, nice=RECEIVING)
        remote = kernel.blobs.remote
        self.sending = kernel.open_pool("send", kernel.blobs.senders, 4096) if remote else self.io
        self.checks = kernel.open_pool("checks", 4, 4096)
        self.outer = DrainEarlyAnswers(
            self._http, limit=server.drain_limit, seconds=server.drain_seconds
        )  # fmt: skip

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self.outer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.pool.run(self.kernel.start)
                except Exception as error:
                    log.exception("the server cannot start")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.kernel.closing.set()
                await asyncio.to_thread(self.kernel.stop)
                self.pool.close()
                self.io.close()
                self.receiving.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Any, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        scope = self.gate.clean(scope)
        request = Request(scope, secrets.token_hex(8))
        mount = self.kernel.router.find_mount(request.path) if self.kernel.router.mounts else None
        if mount is not None:
            inner = {**scope, "root_path": request.root_path + mount.prefix}
            await mount.app(inner, receive, send)
            return
        status = 499
        response: Response | None = None
        try:
            response = await self._respond(request, receive)
            await self._send(request, response, receive, send)
            status = response.status
        except ClientGone:
            log.info("%s the client went away during %s", request.id, without_secrets(request.path))
        finally:
            if isinstance(response, FileResponse):
                response.close()
            if self.server.access_log:
                self._log(request, status, began)

    def _log(self, request: Request, status: int, began: float) -> None:
        keys = ""
        if request.query_string:
            names = [p.partition(b"=")[0].decode("latin-1") for p in request.query_string.split(b"&")]
            keys = "?" + "&".join(quote(n, safe="") for n in names[:20])
        access.info(
            "%s %s %s%s %d %.1fms", request.id, request.method, quote(without_secrets(request.path)), keys, status,
            (time.perf_counter() - began) * 1000,
        )  # fmt: skip

    async def _respond(self, request: Request, receive: Receive) -> Response:
        try:
            response = await self._route(request, receive)
            if isinstance(response, LateResponse) and response.finish is not None:
                late, response = response, await response.finish()
                response.headers += late.headers
            if isinstance(response, FileResponse) and request.method != "HEAD":
                await open_file(self.io, response)
            return response
        except KernelError as error:
            return error_response(error)
        except ClientGone:
            raise
        except Exception as error:
            return self._fault(request, error)

    def _fault(self, request: Request, error: BaseException) -> Response:
        if full_disk(error):
            log.error("%s the disk is full: %s", request.id, error)
            return error_response(DiskFull())
        log.error(
            "%s %s %s failed", request.id, request.method, without_secrets(request.path), exc_info=error
        )  # fmt: skip
        details: dict[str, Any] = {"error_detail": {}, "request_id": request.id}
        if self.debug:
            details["traceback"] = "".join(traceback.format_exception(error))
        return error_response(InternalError(details=details))

    async def _route(self, request: Request, receive: Receive) -> Response:
        preflight = self.gate.preflight(request, self.kernel.router)
        if preflight is not None:
            return Response(200, b"", preflight)
        if request.raw_path.startswith(b"//"):
            raise PageNotFound
        match = self.kernel.router.match(request.method, request.raw_path)
        route = match.route
        if route is None:
            return self._no_route(request, match.allowed)
        if route.takes == "stream":
            return await self._stream(request, route, match.params, receive)
        raw_body: bytes = b""
        if route.takes == "json":
            if (request.content_length or 0) > self.server.json_limit:
                raise BodyTooLarge(f"the body is larger than {self.server.json_limit} bytes")
            raw_body = await read_body(receive, self.server.json_limit, self.server.stall_seconds)
        return await self.pool.run(self._serve, request, route, match.params, raw_body, None)

    def _no_route(self, request: Request, allowed: tuple[str, ...]) -> Response:
        if allowed:
            if request.method == "OPTIONS":
                return Response(204, b"", [("allow", ", ".join(allowed))])
            raise MethodNotAllowed(headers=[("allow", ", ".join(allowed))])
        if request.method in ("GET", "HEAD") and not request.raw_path.endswith(b"/"):
            # The undecoded path: decoding `/%2Fhost` would send the browser to another server.
            target = request.root_path + quote(request.raw_path, safe="/:@!$&'()*+,;=~%") + "/"
            query = request.query_string.decode("latin-1")
            return redirect(target + (f"?{query}" if query else ""))
        raise PageNotFound

    async def _stream(self, request: Request, route: Route, params: dict[str, str], receive: Receive) -> Response:
        """Check first, receive the bytes with nothing open, then write and check again."""
        limit = await self.pool.run(self._check_stream, request, route, params)
        if isinstance(limit, Response):
            return limit
        if not isinstance(limit, UploadLimit):
            return await self._pour(request, route, params, receive, limit)
        upload = await read_upload(
            receive, request, self.kernel.blobs, self.receiving, limit=limit,
            stall_seconds=self.server.stall_seconds,
        )  # fmt: skip
        try:
            await self.check_received(*(file.blob for file in upload.files))
            if limit.kept and self.kernel.blobs.remote:
                await self._send_ahead(*(file.blob for file in upload.files))
            return await self.pool.run(self._serve, request, route, params, b"", upload)
        finally:
            upload.discard()

    async def _send_ahead(self, *blobs: TemporaryBlob) -> None:
        """Send files to a store that is elsewhere while no unit is open, and from no thread that units need."""
        digests = [blob.digest for blob in blobs]
        found = await self.pool.run(known, self.kernel, digests) if digests else set()
        for blob in blobs:
            send = partial(self.kernel.blobs.upload, blob, known=blob.digest in found)
            await self.sending.run(send)

    async def check_received(self, *blobs: TemporaryBlob) -> None:
        """Let plugins look at files that came, in threads of their own; FileRefused keeps the request out."""
        if blobs and self.kernel.checks_files:
            for blob in blobs:
                await self.checks.run(self.kernel.check_received, blob)

    async def _pour(
        self, request: Request, route: Route, params: dict[str, str], receive: Receive, sink: Sink
    ) -> Response:
        """Let the route's own sink take the body, then write and check again."""
        try:
            await read_into(
                receive, sink, self.receiving, announced=request.content_length,
                stall_seconds=self.server.stall_seconds,
            )  # fmt: skip
            if sink.blob is not None:
                await self.check_received(sink.blob)
                if self.kernel.blobs.remote:
                    await self._send_ahead(sink.blob)
            return await self.pool.run(self._serve, request, route, params, b"", sink)
        finally:
            await self.io.run(sink.discard)

    def _check_stream(
        self, request: Request, route: Route, params: dict[str, str]
    ) -> UploadLimit | Sink | Response:
        for attempt in range(RETRIES + 1):
            ctx = self._context(request, writes=False)
            work = Work(self.kernel, ctx)
            try:
                ctx.actor = self.kernel.authenticate(request, ctx)
                call = Call(path=dict(params), request=request)
                check_all(ctx, call, route.guards)
                limit: UploadLimit | Sink | None = route.stream(ctx, call) if route.stream is not None else None
            except KernelError as error:
                work.abort(error)
                response = error_response(error)
                response.headers += ctx.answer_headers
                return response
            except Exception as error:
                work.abort(error)
                if not is_retryable(error) or attempt == RETRIES:
                    raise
            else:
                work._close(commit=False)
                return UploadLimit() if limit is None else limit
        raise ServiceUnavailable("the database does not answer")

    def _context(self, request: Request, *, writes: bool) -> Context:
        token = request.headers.get("x-tracim-clienttoken") or request.headers.get("x-atrio-clienttoken")
        return Context(self.kernel, writes, request_id=request.id, client_token=token[:255] if token else None)

    def _serve(
        self, request: Request, route: Route, params: dict[str, str], raw_body: bytes, upload: Upload | Sink | None
    ) -> Response:
        """Run one route in its unit of work, in a worker thread; a lost race is tried again."""
        attempt = 0
        while True:
            ctx = self._context(request, writes=route.writing)
            work = Work(self.kernel, ctx)
            try:
                call = Call(path=dict(params), request=request, upload=upload)
                value = self._inside(ctx, work, route, call, raw_body)
                if route.writing:
                    work.finish()
                else:
                    work._close(commit=False)
            except InternalError as error:
                work.abort(error)
                self.kernel.note_fault(self.kernel.owner_of(route))
                return self._fault(request, error)
            except KernelError as error:
                work.abort(error)
                work.run_later()
                response = error_response(error)
                response.headers += ctx.answer_headers
                return response
            except Exception as error:
                work.abort(error)
                if is_retryable(error):
                    if attempt < RETRIES:
                        pause(attempt)
                        attempt += 1
                        continue
                    return error_response(ServiceUnavailable("too many writers at once"))
                self.kernel.note_fault(self.kernel.owner_of(route))
                return self._fault(request, error)
            work.tell_world()
            response = self._encode(request, route, value, tagged=not ctx.untagged)
            response.headers += ctx.answer_headers
            return response

    def _inside(self, ctx: Context, work: Work, route: Route, call: Call, raw_body: bytes) -> Any:
        ctx.actor = self.kernel.authenticate(call.http, ctx)
        if route.takes == "json":
            call.raw_body = _decode(call.http, raw_body)
        check_all(ctx, call, route.guards)
        if route.query is not None:
            call.query = load(self.kernel.schema(route.query), call.http.query)
        if route.takes == "json":
            if isinstance(call.raw_body, _Malformed):
                raise ValidationFailed({"_schema": [call.raw_body.reason]})
            call.body = load(self.kernel.schema(route.body), call.raw_body) if route.body else {}
        elif isinstance(call.upload, Upload) and route.form is not None:
            call.body = load(self.kernel.schema(route.form), call.upload.fields)
        value = route.handler(ctx, call)
        if route.writing:
            work.settle()
            if route.after is not None:
                value = route.after(ctx, value)
        return value

    def _encode(self, request: Request, route: Route, value: Any, *, tagged: bool = True) -> Response:
        if isinstance(value, Response):
            return value
        answer = route.answer
        if answer.shape == "empty":
            return Response(answer.status)
        if answer.dumper is None:
            return json_response(value, answer.status)
        if answer.shape == "list":
            body = answer.dumper.encode_all(value)
        elif answer.shape == "page":
            body = answer.dumper.encode_page(value.items, value.extra or {})
        else:
            body = answer.dumper.encode(value)
        response = Response(answer.status, body, [], "application/json")
        if answer.etag is not None and tagged:
            tag = f'"{answer.etag(value)}-{crc32(body):08x}"'
            response.headers = [("etag", tag), ("cache-control", "private, no-cache")]
            given = request.headers.get("if-none-match")
            if given and request.method in ("GET", "HEAD") and (tag in given or given.strip() == "*"):
                response.status, response.body, response.media = 304, b"", None
        return response

    async def _send(self, request: Request, response: Response, receive: Receive, send: Send) -> None:
        headers = response.headers
        names = {name for name, _ in headers}
        if response.media is not None:
            headers.append(("content-type", response.media))
        if "cache-control" not in names:
            headers.append(("cache-control", "no-store"))
        if "x-content-type-options" not in names:
            headers.append(("x-content-type-options", "nosniff"))
        headers.append(("x-request-id", request.id))
        if "origin" in request.headers and "access-control-allow-origin" not in names:
            headers += self.gate.cors(request)
        stream = isinstance(response, StreamResponse)
        if not stream and response.status not in (204, 304):
            length = response.length if isinstance(response, FileResponse) else len(response.body)
            headers.append(("content-length", str(length)))
        await send({"type": "http.response.start", "status": response.status, "headers": header_pairs(headers)})
        if request.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(response, FileResponse):
            await send_file(send, self.io, response)
        elif isinstance(response, StreamResponse) and response.chunks is not None:
            stall = response.stall_seconds or self.server.stall_seconds
            await send_stream(send, receive, response.chunks, stall)
        else:
            await send({"type": "http.response.body", "body": response.body})


class _Malformed(dict[str, Any]):
    """Stands for a JSON body that cannot be used; guards see an empty object."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


def _decode(request: Request, raw: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; another media type or nothing is an empty one (spec: errors, §3)."""
    if not raw or request.media_type not in JSON_TYPES:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _Malformed("Invalid JSON body.")
    if not isinstance(value, dict):
        return _Malformed("Invalid input type.")
    return value
