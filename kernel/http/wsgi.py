"""WSGI applications behind ASGI: bodies streamed both ways, a lost client never looks like the end of a body.

The adapters of the shelf hold bodies in memory, or turn a broken upload into a short one. Here `read()` raises
when the client is gone or when the bytes do not add up to what was announced, so whoever stores them knows.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from ..errors import KernelError, ServiceUnavailable
from .channel import ClientGone, Receive, Send
from .pool import WorkPool
from .response import Response, error_response
from .security import header_pairs
from .uploads import read_body

log = logging.getLogger("atrio.http")

BLOCK = 256 * 1024
"""Bytes that one hop between thread and loop carries."""
DROPPED = frozenset(
    {
        "HTTP_PROXY", "HTTP_X_SCRIPT_NAME", "HTTP_X_REMOTE_USER", "HTTP_REMOTE_USER", "HTTP_COOKIE",
        "HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_FOR", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE",
        "HTTP_FORWARDED", "HTTP_CONNECTION", "HTTP_KEEP_ALIVE", "HTTP_PROXY_AUTHORIZATION",
        "HTTP_PROXY_CONNECTION", "HTTP_TE", "HTTP_TRAILER", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE",
    }
)  # fmt: skip
"""What the application behind must neither believe nor see: the kernel or the server has dealt with it."""

StartResponse = Callable[..., Callable[[bytes], object]]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class BodyCut(OSError):
    """The body ended before all of it was there; what was read must not be kept."""


@dataclass
class Limits:
    """What a mounted application takes. Only the bodies of `streamed` methods go through unread."""

    streamed: frozenset[str] = frozenset({"PUT"})
    buffered_bytes: int = 1024 * 1024
    stall_seconds: float = 60.0


@dataclass
class _Exchange:
    """One request on its way through a thread."""

    loop: asyncio.AbstractEventLoop
    receive: Receive
    send: Send
    stall_seconds: float
    announced: int | None
    received: int = 0
    ended: bool = False
    cut: bool = False
    started: bool = False
    gone: bool = False
    watcher: asyncio.Task[None] | None = None
    pending: bytearray = field(default_factory=bytearray)

    async def more(self) -> bytes:
        """Return the next bytes of the body, up to a block; empty at its end. BodyCut when it breaks off."""
        parts = bytearray()
        while not self.ended and len(parts) < BLOCK:
            try:
                async with asyncio.timeout(self.stall_seconds):
                    message = await self.receive()
            except TimeoutError:
                self.cut = True
                raise BodyCut("no byte came in time") from None
            if message["type"] == "http.disconnect":
                self.cut = True
                raise BodyCut("the client went away")
            data = message.get("body", b"")
            parts += data
            self.received += len(data)
            self.ended = not message.get("more_body", False)
        if self.ended and self.announced is not None and self.received != self.announced:
            self.cut = True
            raise BodyCut(f"announced {self.announced} bytes, {self.received} came")
        return bytes(parts)

    def wait(self, making: Any) -> Any:
        """Run a coroutine in the loop and wait for it in this thread."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(making, self.loop)
        return future.result()

    async def _watch(self) -> None:
        while not self.gone:
            self.gone = (await self.receive())["type"] == "http.disconnect"

    async def put(self, message: dict[str, Any]) -> None:
        """Send within bounds of time; ClientGone for a client that left or takes nothing.

        Servers take what is sent to nobody without a word, so somebody has to look whether the client is there.
        """
        if self.gone:
            raise ClientGone("the client went away")
        if self.ended and self.watcher is None:
            self.watcher = self.loop.create_task(self._watch())
        try:
            async with asyncio.timeout(self.stall_seconds):
                await self.send(message)
        except TimeoutError:
            raise ClientGone("the client does not read") from None


class BodyReader:
    """`wsgi.input`: reads from the loop, block by block."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._buffer = b""
        self._over = False

    def _fill(self) -> bool:
        if self._over:
            return False
        self._buffer = self._exchange.wait(self._exchange.more())
        self._over = not self._buffer
        return not self._over

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, empty only at the true end; BodyCut when the body breaks off."""
        if size is None or size < 0:
            parts = [self._buffer]
            self._buffer = b""
            while self._fill():
                parts.append(self._buffer)
                self._buffer = b""
            return b"".join(parts)
        if not self._buffer and not self._fill():
            return b""
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def readline(self, size: int = -1) -> bytes:
        """Return one line."""
        line = b""
        while not line.endswith(b"\n") and (size < 0 or len(line) < size):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return line

    def __iter__(self) -> Any:
        return iter(self.readline, b"")


class _Memory(BodyReader):
    """`wsgi.input` of a body that was read already."""

    def __init__(self, body: bytes) -> None:
        self._buffer = body
        self._over = True


class WsgiBridge:
    """Serves a WSGI application in threads of its own pool, with bounded bodies and no lost bytes."""

    def __init__(self, app: WsgiApp, pool: WorkPool, limits: Limits | None = None) -> None:
        self.app = app
        self.pool = pool
        self.limits = limits or Limits()

    async def __call__(self, scope: Any, receive: Receive, send: Send, **environ: Any) -> int:
        """Serve one ASGI request; further names go into the environ. Returns the status that was sent."""
        limits = self.limits
        length = dict(scope["headers"]).get(b"content-length", b"").decode("latin-1")
        announced = int(length) if length.isdigit() else None
        exchange = _Exchange(asyncio.get_running_loop(), receive, send, limits.stall_seconds, announced)
        given = environ_of(scope)
        given.update(environ)
        try:
            if scope["method"] in limits.streamed:
                given["wsgi.input"] = BodyReader(exchange)
                if announced is not None:
                    given["CONTENT_LENGTH"] = str(announced)
            else:
                body = await read_body(receive, limits.buffered_bytes, limits.stall_seconds)
                exchange.ended = True
                given["wsgi.input"] = _Memory(body)
                given["CONTENT_LENGTH"] = str(len(body))
            return await self.pool.run(self._run, given, exchange)
        except (ServiceUnavailable, KernelError) as error:
            return await answer(send, error_response(error))
        except (BodyCut, ClientGone):
            return 499
        except Exception:
            log.exception("%s %s failed", scope["method"], given.get("SCRIPT_NAME"))
            if exchange.started:
                raise  # the server closes the connection, so that nobody takes a part for the whole
            return await answer(send, Response(500, b"Internal Server Error\n", [], "text/plain"))
        finally:
            if exchange.watcher is not None:
                exchange.watcher.cancel()

    def _run(self, environ: dict[str, Any], exchange: _Exchange) -> int:
        status, headers = 500, [("content-length", "0")]

        def start_response(line: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status, headers
            status, headers = int(line.split(" ", 1)[0]), [(k.lower(), v) for k, v in pairs]
            return exchange.pending.extend

        result = self.app(environ, start_response)
        try:
            for block in result:
                exchange.pending += block
                if len(exchange.pending) >= BLOCK:
                    self._flush(exchange, status, headers, last=False)
            if exchange.cut:
                raise BodyCut("the body broke off")
            self._flush(exchange, status, headers, last=True)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        return status

    def _flush(self, exchange: _Exchange, status: int, headers: list[tuple[str, str]], *, last: bool) -> None:
        block = bytes(exchange.pending)
        exchange.pending.clear()

        async def go() -> None:
            if not exchange.started:
                exchange.started = True
                # What follows a connection is the server's to say, not the application's.
                kept = [(k, v) for k, v in headers if k not in ("connection", "date", "server")]
                await exchange.put(
                    {"type": "http.response.start", "status": status, "headers": header_pairs(kept)}
                )
            await exchange.put({"type": "http.response.body", "body": block, "more_body": not last})

        exchange.wait(go())


def environ_of(scope: Any) -> dict[str, Any]:
    """Return the WSGI environ of an ASGI scope (PEP 3333); paths from the undecoded bytes."""
    root = scope.get("root_path", "")
    raw = scope.get("raw_path") or scope["path"].encode()
    path = unquote_to_bytes(raw).decode("latin-1")
    prefix = root.encode().decode("latin-1")
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"], "SCRIPT_NAME": prefix,
        "PATH_INFO": path.removeprefix(prefix) or "/",
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": server[0], "SERVER_PORT": str(server[1] or 80), "REMOTE_ADDR": client[0],
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}", "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        if key == "CONTENT_TYPE":
            environ["CONTENT_TYPE"] = text
        elif f"HTTP_{key}" not in DROPPED:
            found = environ.get(f"HTTP_{key}")
            environ[f"HTTP_{key}"] = text if found is None else f"{found},{text}"
    environ.setdefault("HTTP_HOST", f"{server[0]}:{server[1] or 80}")
    return environ


async def answer(send: Send, response: Response) -> int:
    """Send a whole answer of the kernel's and return its status."""
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    if response.media:
        headers.append(("content-type", response.media))
    await send({"type": "http.response.start", "status": response.status, "headers": header_pairs(headers)})
    await send({"type": "http.response.body", "body": response.body})
    return response.status
