"""Bodies of HTTP/1.1 on a real socket: when they are asked for, taken, left, and lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.http.channel import ClientGone
from tests.kernel.http.served import HOST, Served, answer_on, echo, everything


def test_a_client_that_waits_is_asked_when_its_body_is_wanted(served: Callable[..., Served]) -> None:
    wanted = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not wanted.is_set():
            await asyncio.sleep(0.01)
        await echo(scope, receive, send)

    with served(app).connect() as wire:
        wire.sendall(b"PUT / HTTP/1.1\r\n" + HOST + b"expect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        wire.settimeout(0.3)
        with pytest.raises(TimeoutError):
            wire.recv(100)
        wire.settimeout(10)
        wanted.set()
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"abc")
        assert answer_on(wire)[1] == b"PUT /? abc"


def test_a_client_that_waits_is_refused_without_its_body(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    found = served(app, drained=True).ask(
        b"PUT / HTTP/1.1\r\n" + HOST + b"expect: 100-continue\r\ncontent-length: 300000000\r\n\r\n"
    )
    assert found.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in found
    assert b"100 Continue" not in found


def test_a_body_that_nobody_reads_is_not_taken(served: Callable[..., Served]) -> None:
    go_on = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        await echo(scope, receive, send)

    size = 64 * 1024 * 1024
    with served(app).connect() as wire:
        wire.sendall(b"PUT / HTTP/1.1\r\n" + HOST + b"content-length: %d\r\n\r\n" % size)
        wire.settimeout(0.5)
        sent, block = 0, bytes(1024 * 1024)
        with pytest.raises(TimeoutError):
            while True:
                sent += wire.send(block)
        assert sent < size // 2
        go_on.set()


def test_a_client_that_leaves_is_noticed(served: Callable[..., Served]) -> None:
    seen: list[Any] = []
    over = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())
        seen.append(await receive())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": bytes(1000), "more_body": True})
                await asyncio.sleep(0.01)
        except ClientGone:
            seen.append("gone")
        over.set()

    with served(app).connect() as wire:
        wire.sendall(b"PUT / HTTP/1.1\r\n" + HOST + b"content-length: 9\r\n\r\nabc")
        time.sleep(0.2)
    assert over.wait(5)
    assert seen[0] == {"type": "http.request", "body": b"abc", "more_body": True}
    assert seen[1] == {"type": "http.disconnect"}
    assert seen[2] == "gone"


def test_a_client_that_only_stops_sending_has_its_answer(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await echo(scope, receive, send)

    with served(app).connect() as wire:
        wire.sendall(b"PUT / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\n\r\nabc")
        wire.shutdown(socket.SHUT_WR)
        assert everything(wire).endswith(b"PUT /? abc")


def test_a_large_body_arrives_as_it_was_sent(served: Callable[..., Served]) -> None:
    sizes: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        digest, more = hashlib.sha256(), True
        while more:
            message = await receive()
            digest.update(message["body"])
            sizes.append(len(message["body"]))
            more = message["more_body"]
            if len(sizes) % 7 == 0:
                await asyncio.sleep(0.002)  # now and then slower than what comes
        told = digest.hexdigest().encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
        await send({"type": "http.response.body", "body": told})

    data = os.urandom(1024 * 1024) * 24
    server = served(app)
    for head, sent in (
        (b"content-length: %d\r\n\r\n" % len(data), data),
        (b"transfer-encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)),
    ):
        with server.connect() as wire:
            wire.sendall(b"PUT / HTTP/1.1\r\n" + HOST + head + sent)
            assert answer_on(wire)[1] == hashlib.sha256(data).hexdigest().encode()
    assert max(sizes) <= 1024 * 1024
