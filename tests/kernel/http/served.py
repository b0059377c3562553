"""Hypercorn with Atrio's HTTP/1.1 on a real socket, and applications for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from atrio.kernel import http1
from atrio.kernel.http.channel import ClientGone
from atrio.kernel.http.drain import DrainEarlyAnswers
from atrio.kernel.testing.live import free_port

App = Callable[[Any, Any, Any], Any]
HOST = b"host: localhost\r\n"


class Served:
    """Hypercorn with Atrio's HTTP/1.1 in a thread, and one ASGI application."""

    def __init__(self, app: App, *, keep_alive: float = 5, drained: bool = False) -> None:
        http1.install()
        self.port = free_port()
        outer: Any = DrainEarlyAnswers(app, limit=1024 * 1024, seconds=5) if drained else app

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await outer(scope, receive, send)

        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.loglevel = "CRITICAL"
        config.keep_alive_timeout = keep_alive
        config.graceful_timeout = 2
        config.include_server_header = False

        async def run() -> None:
            self.loop = asyncio.get_running_loop()
            self.stopping = asyncio.Event()
            await serve(asgi, config, shutdown_trigger=self.stopping.wait, mode="asgi")  # type: ignore[arg-type]

        self.thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        self.thread.start()
        self.connect().close()

    def connect(self) -> socket.socket:
        """Connect, as soon as somebody listens."""
        for _ in range(200):
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.port), timeout=10)
            time.sleep(0.02)
        raise AssertionError("no server")

    def ask(self, *pieces: bytes) -> bytes:
        """Send pieces with pauses between them and read until the server closes."""
        with self.connect() as wire:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(0.05)
                wire.sendall(piece)
            return everything(wire)

    def stop(self) -> None:
        """End it."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.stopping.set)
            self.thread.join(10)
        assert not self.thread.is_alive()


def everything(wire: socket.socket) -> bytes:
    """Read until the end; a connection that the server broke ends too."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while data := wire.recv(65536):
            found += data
    return found


def answer_on(wire: socket.socket) -> tuple[bytes, bytes]:
    """Read one answer with a length: its head, its body."""
    found = b""
    while b"\r\n\r\n" not in found:
        data = wire.recv(65536)
        assert data, found
        found += data
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += wire.recv(65536)
    return head, body


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def start(app: App, **options: Any) -> Served:
        made.append(Served(app, **options))
        return made[-1]

    yield start
    for server in made:
        server.stop()


async def whole(receive: Any) -> tuple[bytes, int]:
    """Read a body; returns it and the number of messages."""
    body, count = b"", 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message["body"]
        count += 1
        if not message["more_body"]:
            return body, count


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the method, the target and the body."""
    body, _ = await whole(receive)
    told = b"%b %b?%b %b" % (scope["method"].encode(), scope["raw_path"], scope["query_string"], body)
    await send({
        "type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))],
    })  # fmt: skip
    await send({"type": "http.response.body", "body": told})


async def pieces(scope: Any, receive: Any, send: Any) -> None:
    """Answer without a length, in three pieces of which one is empty."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for data in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
