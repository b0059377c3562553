"""One request and its answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..http.channel import ClientGone, Message

if TYPE_CHECKING:
    from .connection import Http1

JOINED = 64 * 1024
"""Bytes of a body that are copied to its head, to be written with it."""
LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_BREAKS = re.compile(rb"[\x00\r\n]").search


@lru_cache(maxsize=2)
def dated(second: int) -> bytes:
    """Return the field with the time of the answer."""
    return b"date: %b\r\n" % formatdate(second, usegmt=True).encode()


class Exchange:
    """One request and its answer: `receive` and `send` of an application."""

    __slots__ = (
        "answered", "chunked", "close", "connection", "ended", "expects", "flushing", "gone", "head", "held",
        "left", "parts", "plain", "silent", "started", "told", "unheard", "waiting",
    )  # fmt: skip

    def __init__(self, connection: Http1, *, silent: bool, plain: bool, close: bool, expects: bool) -> None:
        self.connection = connection
        self.silent = silent  # no body follows the head, whatever it says
        self.plain = plain  # HTTP/1.0: a body of unknown length ends with the connection
        self.close = close
        self.expects = expects  # the client waits for 100 before it sends its body
        self.parts: deque[bytes] = deque()
        self.held = 0
        self.ended = self.told = False
        self.unheard = self.gone = False  # the client sends no more; the client is not there any more
        self.started = self.answered = self.chunked = False
        self.left: int | None = None
        self.head = b""
        self.flushing: asyncio.Handle | None = None
        self.waiting: asyncio.Future[None] | None = None

    def is_uninvited(self) -> bool:
        """Tell whether the client still waits to be asked for its body."""
        return self.expects and not self.parts and not self.ended

    # -- what the connection says ----------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take a piece of the body."""
        self.parts.append(data)
        self.held += len(data)
        self.wake()

    def end(self) -> None:
        """Take note that the body is whole."""
        self.ended = True
        self.wake()

    def leave(self, *, lost: bool) -> None:
        """Take note that the client sends no more, or (`lost`) is gone."""
        self.unheard = True
        self.gone = self.gone or lost
        self.wake()

    def wake(self) -> None:
        """Let `receive` look again."""
        waiting, self.waiting = self.waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # -- what the application sees ---------------------------------------------------------------------------

    async def receive(self) -> Message:
        """Return what came of the body since the last time, or that the client left or has its answer."""
        while not self.answered:
            if self.parts or (self.ended and not self.told):
                if len(self.parts) > 1 and self.held <= JOINED:
                    data = b"".join(self.parts)
                    self.parts.clear()
                else:
                    data = self.parts.popleft() if self.parts else b""
                self.held -= len(data)
                self.told = self.ended and not self.parts
                self.connection.flow()
                return {"type": "http.request", "body": data, "more_body": not self.told}
            if self.unheard:
                break
            if self.expects:
                self.expects = False
                if not self.started:
                    with suppress(ClientGone):
                        await self.connection.write(LINES[100] + b"\r\n")
                    continue
            if self.waiting is None:
                self.waiting = asyncio.get_running_loop().create_future()
            await asyncio.shield(self.waiting)  # another one may wait for it too
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer; ClientGone when nobody is there any more."""
        if self.gone:
            raise ClientGone
        if message["type"] == "http.response.start":
            self._start(message)
        elif message["type"] == "http.response.body" and self.started:
            await self._body(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"unexpected message {message['type']}")

    def _start(self, message: Message) -> None:
        if self.started:
            raise RuntimeError("the answer began already")
        status = int(message["status"])
        length: bytes | None = None
        told = False
        lines = [LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()]
        for name, value in message.get("headers", ()):
            if not _NAME(name) or _BREAKS(value):
                raise ValueError(f"the header {name!r} cannot be sent")
            if name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                continue
            elif name == b"connection":
                told = True
                self.close = self.close or b"close" in value.lower()
            lines.append(b"%b: %b\r\n" % (name, value))
        self.silent = self.silent or status in (204, 304) or status < 200
        if length is not None:
            self.left = None if self.silent else int(length)
        elif not self.silent:
            self.chunked, self.close = not self.plain, self.close or self.plain
            if self.chunked:
                lines.append(b"transfer-encoding: chunked\r\n")
        if self.is_uninvited():
            self.close = True  # a client that was never asked for its body may send it or not
        if self.connection.context.terminated.is_set():
            self.close = True
        lines.append(dated(int(time.time())))
        if self.close and not told:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        self.head = b"".join(lines)
        self.started = True
        # A head waits for the body that mostly follows at once, but never for longer.
        self.flushing = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self.head:
            self.connection.task_group.spawn(self._write_head)

    async def _write_head(self) -> None:
        head, self.head = self.head, b""
        if head:
            with suppress(ClientGone):
                await self.connection.write(head)

    async def _body(self, data: bytes, *, more: bool) -> None:
        if self.answered:
            raise RuntimeError("the answer is complete")
        if self.silent:
            data = b""
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise RuntimeError("more bytes than were announced")
        if self.flushing is not None:
            self.flushing.cancel()
            self.flushing = None
        head, self.head = self.head, b""
        if self.chunked:
            if data:
                head += b"%x\r\n" % len(data)
            tail = (b"\r\n" if data else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            tail = b""
        if len(data) <= JOINED:
            data, head, tail = head + data + tail, b"", b""
        for part in (head, data, tail):
            if part:
                await self.connection.write(part)
        if not more:
            if self.left:
                raise RuntimeError("fewer bytes than were announced")
            self.answered = True
            self.wake()
            await self.connection.finish(self)

    async def settle(self) -> None:
        """End what an application left undone."""
        if self.answered:
            return
        if self.started or self.gone:
            self.answered = True
            await self.connection.finish(self, broken=True)
            return
        self.close = True
        with suppress(ClientGone):
            await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
            await self.send({"type": "http.response.body"})
