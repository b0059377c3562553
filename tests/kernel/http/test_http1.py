"""HTTP/1.1 as bytes on a real socket: framing, connections, bodies, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
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


def test_requests_follow_each_other_on_one_connection(served: Callable[..., Served]) -> None:
    with served(echo).connect() as wire:
        for number in range(3):
            wire.sendall(b"POST /a?n=%d HTTP/1.1\r\n%bcontent-length: 2\r\n\r\nab" % (number, HOST))
            head, body = answer_on(wire)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\ndate: " in head
            assert b"connection" not in head
            assert body == b"POST /a?n=%d ab" % number


def test_requests_that_come_at_once_are_answered_in_their_order(served: Callable[..., Served]) -> None:
    many = b"".join(b"POST /%d HTTP/1.1\r\n%bcontent-length: 1\r\n\r\n%d" % (n, HOST, n) for n in range(9))
    last = b"GET /last HTTP/1.1\r\n%bconnection: close\r\n\r\n" % HOST
    found = served(echo).ask(many + last)
    assert found.count(b"HTTP/1.1 200") == 10
    told = [line for line in found.split(b"\r\n") if line.startswith((b"POST", b"GET"))]
    places = [found.index(b"POST /%d? %d" % (n, n)) for n in range(9)]
    assert places == sorted(places), told
    assert found.endswith(b"GET /last? ")


def test_a_request_byte_by_byte(served: Callable[..., Served]) -> None:
    request = b"PUT /x HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    request += b"3;ext=1\r\nabc\r\n0\r\ntrailer: t\r\n\r\n"
    with served(echo).connect() as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(len(request)):
            wire.sendall(request[n : n + 1])
            time.sleep(0.001)
        assert everything(wire).endswith(b"PUT /x? abc")


def test_an_answer_without_a_length_is_chunked(served: Callable[..., Served]) -> None:
    found = served(pieces).ask(b"GET / HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_an_old_client_gets_an_answer_that_ends_with_the_connection(served: Callable[..., Served]) -> None:
    found = served(pieces).ask(b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"onetwo"


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_answers_without_a_body_have_none(served: Callable[..., Served], method: bytes, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        length = [(b"content-length", b"5")] if status == 200 else []
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": b"12345"})

    found = served(app).ask(method + b" / HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 %d " % status)
    assert found.endswith(b"\r\n\r\n")
    assert b"12345" not in found
    assert b"chunked" not in found


@pytest.mark.parametrize("told", [3, 7])
def test_a_body_of_another_length_than_announced_breaks_off(served: Callable[..., Served], told: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({
            "type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % told)],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": b"12345"})

    server = served(app)
    found = server.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert found.count(b"HTTP/1.1") <= 1  # no second answer can be taken for the rest of the first
    assert len(found.partition(b"\r\n\r\n")[2]) <= 5


def test_an_application_that_fails_is_a_500_and_a_cut_when_it_began(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        raise RuntimeError("planned")

    server = served(app)
    assert server.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n").startswith(b"HTTP/1.1 500 ")
    found = server.ask(b"GET /late HTTP/1.1\r\n" + HOST + b"\r\n")
    assert found.endswith(b"begun\r\n")  # without the last chunk: nobody takes it for whole


def test_a_head_goes_out_before_its_body_is_there(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        assert (await receive())["type"] == "http.disconnect"  # never before the client leaves
        seen.set()

    seen = threading.Event()
    with served(app).connect() as wire:
        wire.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        assert not seen.is_set()
    assert seen.wait(5)


def test_headers_that_would_split_an_answer_are_not_sent(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nset-cookie: b=c")]})

    found = served(app).ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert found.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in found


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


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no host
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\na",
        b"GET / HTTP/1.1\r\nhost: a\r\nbad name: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),  # TLS
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_connection_closed(
    served: Callable[..., Served], request_bytes: bytes
) -> None:
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["raw_path"])
        await echo(scope, receive, send)

    for given in ((request_bytes,), (request_bytes[:7], request_bytes[7:])):
        found = served(app).ask(*given)
        assert found[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5"), found
        assert found.count(b"HTTP/1.1") == 1
        assert b"connection: close" in found.lower()
    assert b"/x" not in reached  # nothing is smuggled behind it


def test_what_is_no_request_after_a_good_one(served: Callable[..., Served]) -> None:
    good = b"POST /1 HTTP/1.1\r\n" + HOST + b"content-length: 2\r\n\r\nab"
    for bad in (b"?? \r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n"):
        for given in ((good + bad,), (good, bad), (good[:-1], good[-1:] + bad)):
            found = served(echo).ask(*given)
            assert found.count(b"HTTP/1.1 200") == 1, given
            assert found.count(b"HTTP/1.1 400") == 1, given
            assert found.index(b"POST /1? ab") < found.index(b"HTTP/1.1 400")


def test_heads_and_trailers_have_bounds(served: Callable[..., Served]) -> None:
    start = b"POST / HTTP/1.1\r\n" + HOST
    chunked = start + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    for head, line in (
        (start, b"a" * 1000),  # a field without end
        (start, b"a: b\r\n" * 100),  # fields without end
        (b"", b"\x47" + b"E" * 999),  # a line without end
        (chunked, b"a: b\r\n" * 100),  # a trailer without end
        (chunked, b"x" * 1000),
        (start + b"transfer-encoding: chunked\r\n\r\n1;", b"x" * 1000),  # an extension of a chunk
    ):
        with served(echo).connect() as wire:
            wire.sendall(head)
            sent = 0
            try:
                for _ in range(3000):
                    sent += wire.send(line)
                    time.sleep(0.0002)
                ended = False
            except OSError:
                ended = True
            found = everything(wire) if not ended else b""
            assert ended or found[:10] in (b"HTTP/1.1 4", b""), found
            assert sent < 2_000_000


def test_other_methods_reach_the_application(served: Callable[..., Served]) -> None:
    for method in (b"PROPFIND", b"MKCALENDAR", b"REPORT", b"VERSION-CONTROL", b"FOO"):
        found = served(echo).ask(method + b" /p HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
        assert found.endswith(method + b" /p? "), found


def test_http2_without_tls_is_still_spoken(served: Callable[..., Served]) -> None:
    server = served(echo)
    with server.connect() as wire:
        wire.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
        assert wire.recv(9)[3:4] == b"\x04"  # a SETTINGS frame
    with server.connect() as wire:
        wire.sendall(
            b"GET / HTTP/1.1\r\n" + HOST
            + b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
        )  # fmt: skip
        assert wire.recv(12) == b"HTTP/1.1 101"


def test_a_silent_connection_is_closed_and_a_busy_one_is_not(served: Callable[..., Served]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.8)
        await echo(scope, receive, send)

    with served(app, keep_alive=0.3).connect() as wire:
        wire.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert answer_on(wire)[1] == b"GET /? "
        began = time.monotonic()
        assert wire.recv(10) == b""
        assert time.monotonic() - began < 5


def test_stopping_closes_silent_connections_and_lets_answers_end(served: Callable[..., Served]) -> None:
    begun = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.sleep(0.5)
        await echo(scope, receive, send)

    server = served(app, keep_alive=60)
    with server.connect() as silent, server.connect() as busy:
        busy.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert begun.wait(5)
        began = time.monotonic()
        server.loop.call_soon_threadsafe(server.stopping.set)
        assert silent.recv(10) == b""
        assert everything(busy).endswith(b"GET /? ")
        assert time.monotonic() - began < 5


def test_a_hypercorn_without_these_places_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "PLACES", (("atrio.kernel.http1", "no_such_name", object),))
    with pytest.raises(RuntimeError, match="no_such_name"):
        http1.install()
