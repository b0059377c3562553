"""A connection: requests one after the other."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from hypercorn.events import Closed, Event, RawData, Updated

from ..http.channel import ClientGone
from ..http.drain import UNINVITED
from . import protocols
from .exchange import LINES, Exchange, dated
from .wire import Wire

log = logging.getLogger("atrio.hypercorn")
HELD = 1024 * 1024
"""Bytes of a body that wait for the application, from which on no more are read."""
HEAD = 64 * 1024
"""Bytes of a head, and of a trailer."""
_TARGET = re.compile(rb"[\x21-\x7e]+").fullmatch


class Head(NamedTuple):
    """The head of a request; `going_on`: the connection may be used for another one."""

    method: str
    version: str
    target: bytes
    fields: list[tuple[bytes, bytes]]
    going_on: bool


class Odd(NamedTuple):
    """Something that h11 judges: all that came since its beginning. Without that it is refused."""

    raw: list[bytes]
    status: int = 400


class Http1:
    """One connection, in place of Hypercorn's `H11Protocol`.

    Bytes come from the transport itself (`Wire`), without the streams of asyncio between: large bodies are copied
    once, and a request begins in the turn of the loop in which it came.
    """

    def __init__(
        self, app: Any, config: Any, context: Any, task_group: Any, connection_state: Any, ssl: bool, client: Any,
        server: Any, send: Callable[[Event], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.given = (app, config, context, task_group, connection_state, ssl, client, server, send)
        self.app = app
        self.config = config
        self.context = context
        self.task_group = task_group
        self.state = connection_state
        self.scheme = "https" if ssl else "http"
        self.client = client
        self.server = server
        self.send = send
        owner: Any = send.__self__  # type: ignore[attr-defined]
        self.reader, self.writer, self.idle = owner.reader, owner.writer, owner.idle_task
        self.transport: Any = self.writer.transport
        self.referee: Any = None
        self.exchange: Exchange | None = None
        self.closed = False  # nothing more is read
        self.paused = False
        self.served = 0
        self.parser = HttpRequestParser(self)
        self.events: deque[Head | Odd | bytes | None] = deque()
        # Of the request that is being read:
        self.between = True  # nothing of it came
        self.midway = False  # something else came before it in its first piece
        self.clean = True  # nothing did
        self.raw: list[bytes] = []  # the pieces in which its head came
        self.in_head = True
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.size = 0  # of the fields of its head, or of its trailer
        self.quiet = 0  # bytes that came without anything being read in them

    async def initiate(self) -> None:
        """Take the transport over, and what came before."""
        self.inner = self.transport.get_protocol()
        self.transport.set_protocol(Wire(self, self.inner))
        came = bytes(self.reader._buffer)
        if came:
            self.reader._buffer.clear()
            self.reader._maybe_resume_transport()
            self.take(came)

    async def handle(self, event: Event) -> None:
        """Hear of the end; what the referee judges comes this way too."""
        if self.referee is not None:
            await self.referee.handle(event)
        elif isinstance(event, RawData):
            self.take(event.data)
        elif isinstance(event, Closed):
            self._shut(lost=self.transport.is_closing())

    def _shut(self, *, lost: bool) -> None:
        """Read no more. A client that only stopped sending may still have its answer."""
        self.closed = True
        if self.exchange is not None:
            self.exchange.leave(lost=lost)

    # -- what llhttp says ------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.clean = not self.midway
        self.between = False
        self.in_head = True
        self.url = b""
        self.fields = []
        self.size = self.quiet = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head, or of the trailer, which nobody reads."""
        self.size += len(name) + len(value) + 4
        self.quiet = 0
        if self.in_head:
            self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """End a head. What h11 would refuse, and what asks for another protocol, is for h11."""
        parser, version = self.parser, self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.fields)
        codings = [value.lower() for name, value in self.fields if name == b"transfer-encoding"]
        strange = (
            parser.should_upgrade() or version not in ("1.1", "1.0") or hosts > 1
            or (not hosts and version == "1.1") or not _TARGET(self.url) or codings not in ([], [b"chunked"])
        )  # fmt: skip
        large = self.size + len(self.url) > HEAD
        self.in_head = False
        self.size = self.quiet = 0
        if large:
            self.events.append(Odd([], 431))
        elif strange:
            self.events.append(Odd(self.raw if self.clean else []))
        else:
            method = parser.get_method().decode("ascii")
            self.events.append(Head(method, version, self.url, self.fields, parser.should_keep_alive()))

    def on_chunk_header(self) -> None:
        """Take note of a chunk."""
        self.quiet = 0

    def on_body(self, data: bytes) -> None:
        """Take a piece of a body."""
        self.quiet = 0
        self.events.append(data)

    def on_message_complete(self) -> None:
        """End a request."""
        self.quiet = 0
        self.between = self.midway = True
        self.events.append(None)

    # -- one piece after the other ---------------------------------------------------------------------------

    def take(self, data: bytes | memoryview) -> None:
        """Read a piece; only what it is needed for is copied."""
        if self.closed or not data:
            return
        self.midway = not self.between
        if self.between:
            data = bytes(data)
            self.raw = [data]
            self.clean = self.in_head = True
        elif self.in_head and self.clean:
            data = bytes(data)
            self.raw.append(data)
        self.quiet += len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # its head is among the events
        except HttpParserError:
            # Methods that llhttp does not know, and HTTP/2, are for h11; what is wrong later is wrong.
            if self.clean and self.raw and (self.between or (self.in_head and not self.fields)):
                self.events.clear()  # h11 reads all of it again
                self.events.append(Odd(self.raw))
            else:
                self.events.append(Odd([]))
        if self.quiet > HEAD or self.size > HEAD:
            self.events.append(Odd([], 431))
        if not self.in_head:
            self.raw = []
        self._go_on()

    def _go_on(self) -> None:
        """Do what came as far as it can be done now."""
        while self.events and not self.closed:
            event = self.events[0]
            exchange = self.exchange
            if isinstance(event, Odd):
                if exchange is not None and (event.raw or exchange.ended):
                    break
                self.events.clear()
                self._judge(event)
                return
            if isinstance(event, Head):
                if exchange is not None:
                    break
                self.events.popleft()
                self._begin(event)
                continue
            self.events.popleft()
            if exchange is None:
                continue
            if event is None:
                exchange.end()
            else:
                exchange.feed(event)
        self.flow()

    def flow(self) -> None:
        """Read on, or wait until what came is taken."""
        full = bool(self.events) or (self.exchange is not None and self.exchange.held > HELD)
        if full != self.paused and not self.transport.is_closing():
            self.paused = full
            if full:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _begin(self, head: Head) -> None:
        method, version, target, fields, going_on = head
        self.served += 1
        path, _, query = target.partition(b"?")
        expects = version == "1.1" and any(n == b"expect" and v.lower() == b"100-continue" for n, v in fields)
        exchange = self.exchange = Exchange(
            self, silent=method == "HEAD", plain=version == "1.0", expects=expects,
            close=not going_on or version == "1.0" or self.served >= self.config.keep_alive_max_requests,
        )  # fmt: skip
        scope = {
            "type": "http",
            "http_version": version,
            "asgi": {"spec_version": "2.1", "version": "3.0"},
            "method": method,
            "scheme": self.scheme,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": self.config.root_path,
            "headers": fields,
            "client": self.client,
            "server": self.server,
            "state": self.state.copy(),
            "extensions": {UNINVITED: exchange.is_uninvited} if expects else {},
        }
        self.idle.hold()
        self.task_group.spawn(self._run, exchange, scope)
        if self.context.max_requests is not None:
            self.task_group.spawn(self.context.mark_request)

    async def _run(self, exchange: Exchange, scope: Any) -> None:
        try:
            await self.app(scope, exchange.receive, exchange.send, None, None)
        except ClientGone:
            pass
        except Exception:
            log.exception("the application failed")
        finally:
            await exchange.settle()

    def _judge(self, odd: Odd) -> None:
        if odd.raw:
            protocols.load()
            from hypercorn.protocol.h11 import H11Protocol

            self.referee = H11Protocol(*self.given)
            self.transport.set_protocol(self.inner)
            self.flow()
            self.inner.data_received(b"".join(odd.raw))
            return
        if self.exchange is None or not self.exchange.started:
            end = b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.writer.write(LINES[odd.status] + dated(int(time.time())) + end)
        self._shut(lost=True)
        self.task_group.spawn(self.send, Closed())

    # -- what exchanges say ----------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """Write, and wait while the client is slow; ClientGone when it is not there any more."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, RuntimeError):
            self._shut(lost=True)
            raise ClientGone from None

    async def finish(self, exchange: Exchange, *, broken: bool = False) -> None:
        """Go on to the next request, or close the connection."""
        if exchange is not self.exchange:
            return
        if exchange.ended and not (exchange.close or broken or self.closed or self.context.terminated.is_set()):
            await self.send(Updated(idle=True))
            self.exchange = None
            self._go_on()
        else:
            self._shut(lost=True)
            self.exchange = None
            await self.send(Closed())
