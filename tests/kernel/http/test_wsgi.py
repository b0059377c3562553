"""The WSGI bridge behind a real server: bytes both ways, and what happens when one side leaves."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from atrio.kernel import http1
from atrio.kernel.http.drain import DrainEarlyAnswers
from atrio.kernel.http.pool import WorkPool
from atrio.kernel.http.wsgi import BodyCut, Limits, WsgiBridge
from atrio.kernel.testing.live import Wire, free_port

MIB = 1024 * 1024


class Server:
    """Hypercorn in a thread, one WSGI application behind the bridge; `statuses` are what the bridge returned."""

    def __init__(self, app: Any, **limits: Any) -> None:
        http1.install()
        self.port = free_port()
        self.statuses: list[int] = []
        self.pool = WorkPool("test", 4, 100)
        bridge = WsgiBridge(app, self.pool, Limits(**limits))

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.statuses.append(await bridge(scope, receive, send, extra="given"))

        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.loglevel = "CRITICAL"
        outer: Any = DrainEarlyAnswers(asgi, limit=64 * MIB, seconds=10)

        async def run() -> None:
            self.loop = asyncio.get_running_loop()
            self.over = asyncio.Event()
            await serve(outer, config, shutdown_trigger=self.over.wait, mode="asgi")

        self.thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        self.thread.start()
        self.wire().close()

    def wire(self) -> Wire:
        """Connect, as soon as there is somebody."""
        for _ in range(200):
            try:
                return Wire(self.port)
            except OSError:
                time.sleep(0.02)
        raise AssertionError("no server")

    def stop(self) -> None:
        """End it."""
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)
        self.pool.close()


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def start(app: Any, **limits: Any) -> Server:
        made.append(Server(app, **limits))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while not found():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found()


class Keeper:
    """A WSGI application that reads a body and remembers how that ended."""

    def __init__(self) -> None:
        self.ends: list[Any] = []
        self.environs: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environs.append({k: v for k, v in environ.items() if isinstance(v, str)})
        digest, size = hashlib.sha256(), 0
        try:
            while block := environ["wsgi.input"].read(65536):
                digest.update(block)
                size += len(block)
        except BodyCut as cut:
            self.ends.append(cut)
            raise
        self.ends.append(size)
        answer = digest.hexdigest().encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer]


def test_a_body_goes_up_in_pieces(serving: Callable[..., Server]) -> None:
    keeper = Keeper()
    wire = serving(keeper).wire()
    data = bytes(range(256)) * 4096
    assert wire.call("PUT", "/a", {}, data)[2].decode() == hashlib.sha256(data).hexdigest()
    head = "PUT /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    wire.socket.sendall(head.encode())
    for start in range(0, len(data), 100_000):
        piece = data[start : start + 100_000]
        wire.socket.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
    wire.socket.sendall(b"0\r\n\r\n")
    assert wire.read()[2].decode() == hashlib.sha256(data).hexdigest()
    assert "CONTENT_LENGTH" not in keeper.environs[1]
    assert wire.call("PUT", "/a")[2].decode() == hashlib.sha256(b"").hexdigest()
    assert keeper.ends == [len(data), len(data), 0]
    wire.close()


def test_bodies_are_not_held_in_memory(serving: Callable[..., Server]) -> None:
    block = b"x" * MIB

    def down(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        size = 0
        while piece := environ["wsgi.input"].read(MIB):
            size += len(piece)
        start_response("200 OK", [("Content-Length", str(size))])
        yield from (block for _ in range(size // MIB))

    wire = serving(down).wire()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wire.socket.sendall(b"PUT /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (200 * MIB))
    for _ in range(200):
        wire.socket.sendall(block)
    while wire.file.readline() not in (b"\r\n", b""):
        pass
    left = 200 * MIB
    while left:
        left -= len(wire.file.read(min(left, MIB)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 64, f"{grown} MiB for 200 MiB up and down"
    wire.close()


@pytest.mark.parametrize("sent", [0, 1, 1000, MIB, 3 * MIB - 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_lost_client_is_no_end_of_a_body(serving: Callable[..., Server], sent: int, chunked: bool) -> None:
    keeper = Keeper()
    server = serving(keeper)
    wire = server.wire()
    if chunked:
        body = b"%x\r\n" % (3 * MIB) + b"x" * sent
        wire.socket.sendall(b"PUT /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + body)
    else:
        wire.send("PUT", "/a", {"content-length": str(3 * MIB)}, b"x" * sent)
    until(lambda: keeper.environs)
    wire.socket.shutdown(socket.SHUT_RDWR)
    wire.close()
    until(lambda: keeper.ends and server.statuses)
    assert isinstance(keeper.ends[0], BodyCut)
    assert server.statuses == [499]


def test_a_client_that_sends_nothing_more_is_lost_too(serving: Callable[..., Server]) -> None:
    keeper = Keeper()
    server = serving(keeper, stall_seconds=0.3)
    wire = server.wire()
    wire.send("PUT", "/a", {"content-length": "1000"}, b"x")
    until(lambda: keeper.ends)
    assert isinstance(keeper.ends[0], BodyCut)
    wire.close()


def called(bridge: WsgiBridge, messages: list[dict[str, Any]], **scope: Any) -> tuple[int, list[Any]]:
    """Call the bridge without a server, which would hide what some servers let through."""
    sent: list[Any] = []

    async def go() -> int:
        queue = iter(messages)

        async def receive() -> Any:
            return next(queue)

        async def send(message: Any) -> None:
            sent.append(message)

        full = {"type": "http", "method": "PUT", "path": "/a", "query_string": b"", "headers": [], **scope}
        return await bridge(full, receive, send)

    return asyncio.run(go()), sent


@pytest.mark.parametrize("came", [b"", b"1234", b"123456"])
def test_a_length_that_does_not_match(came: bytes) -> None:
    keeper = Keeper()
    pool = WorkPool("test", 1, 10)
    bridge = WsgiBridge(keeper, pool)
    messages = [{"type": "http.request", "body": came, "more_body": False}]
    status, sent = called(bridge, messages, headers=[(b"content-length", b"5")])
    assert (status, sent) == (499, [])
    assert isinstance(keeper.ends[0], BodyCut)
    pool.close()


def test_who_swallows_the_cut_still_sends_nothing() -> None:
    def deaf(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with contextlib.suppress(OSError):
            environ["wsgi.input"].read()
        start_response("201 Created", [])
        return [b"stored"]

    pool = WorkPool("test", 1, 10)
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    assert called(WsgiBridge(deaf, pool), messages) == (499, [])
    pool.close()


def test_other_bodies_are_small(serving: Callable[..., Server]) -> None:
    keeper = Keeper()
    wire = serving(keeper).wire()
    for method in ("POST", "PROPFIND", "DELETE"):
        assert wire.call(method, "/a", {}, b"x" * (MIB + 1))[0] == 413
        assert wire.call(method, "/a", {}, b"x" * MIB)[0] == 200, "and the connection is still good"
    assert keeper.ends == [MIB] * 3
    wire.socket.sendall(
        b"PROPFIND /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    assert wire.read()[0] == 200
    assert keeper.environs[-1]["CONTENT_LENGTH"] == "3", "the library takes a body without a length for empty"
    wire.close()


def test_what_the_application_never_sees(serving: Callable[..., Server]) -> None:
    keeper = Keeper()
    wire = serving(keeper).wire()
    secret = "s3cret"
    names = (
        "X-Script-Name", "X-Remote-User", "Remote-User", "Remote_User", "X_Script_Name", "Cookie", "Authorization",
        "Proxy", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Forwarded-Prefix", "Keep-Alive",
        "TE", "Trailer", "Upgrade-Insecure-Requests-X", "Proxy-Authorization", "Proxy-Connection", "Content_Length",
        "Forwarded",
    )  # fmt: skip
    seen = set(names) & {"Upgrade-Insecure-Requests-X"}
    assert wire.call("GET", "/a", dict.fromkeys(names, secret) | {"Connection": "keep-alive, X-Hop"})[0] == 200
    environ = keeper.environs[0]
    assert {k for k, v in environ.items() if secret in v} == {f"HTTP_{n.upper().replace('-', '_')}" for n in seen}
    assert "HTTP_CONNECTION" not in environ
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert environ["extra"] == "given"
    wire.close()


def test_paths_come_undecoded_and_headers_joined(serving: Callable[..., Server]) -> None:
    keeper = Keeper()
    wire = serving(keeper).wire()
    wire.socket.sendall(b"GET /%C3%BC%2525?a=%20b HTTP/1.1\r\nhost: x\r\nif: (a)\r\nif: (b)\r\n\r\n")
    assert wire.read()[0] == 200
    environ = keeper.environs[0]
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/ü%25"
    assert environ["QUERY_STRING"] == "a=%20b"
    assert environ["HTTP_IF"] == "(a),(b)"
    wire.close()


def test_an_early_answer_leaves_the_connection_usable(serving: Callable[..., Server]) -> None:
    def early(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        time.sleep(0.1)
        start_response("409 Conflict", [("Content-Length", "2")])
        return [b"no"]

    wire = serving(early).wire()
    for _ in range(3):
        assert wire.call("PUT", "/a", {}, b"x" * 3 * MIB)[0::2] == (409, b"no")
    wire.close()


@pytest.mark.parametrize("moment", ["call", "iteration", "start"])
def test_an_exception_is_a_bare_500(serving: Callable[..., Server], moment: str) -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> Any:
        if moment == "call":
            raise RuntimeError("inside detail")
        if moment == "start":
            start_response("no number", [])

        def blocks() -> Iterator[bytes]:
            yield b""
            raise RuntimeError("inside detail")

        start_response("200 OK", [("X-Inside", "detail")])
        return blocks()

    server = serving(broken)
    wire = server.wire()
    for _ in range(2):
        status, headers, body = wire.call("PUT", "/a", {}, b"x")
        assert (status, b"detail" in body, "x-inside" in headers) == (500, False, False)
    assert until(lambda: server.statuses[1:])
    assert server.statuses == [500, 500]
    wire.close()


def test_an_answer_that_breaks_off_is_seen_to_be_broken(serving: Callable[..., Server]) -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", str(2 * MIB))])
        yield b"x" * MIB
        raise RuntimeError("inside detail")

    wire = serving(broken).wire()
    wire.send("GET", "/a")
    assert wire.file.readline().split()[1] == b"200"
    rest = wire.file.read()
    assert len(rest) < 2 * MIB
    assert b"detail" not in rest
    wire.close()


def test_the_iterable_is_closed_when_the_reader_leaves(serving: Callable[..., Server]) -> None:
    closed: list[bool] = []

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while not closed:
                yield b"x" * MIB

        def close(self) -> None:
            closed.append(True)

    def endless(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return Endless()

    server = serving(endless, stall_seconds=1)
    wire = server.wire()
    wire.send("GET", "/a")
    wire.file.read(MIB)
    wire.close()
    assert until(lambda: closed)


def test_head_and_empty_answers(serving: Callable[..., Server]) -> None:
    def small(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("204 No Content", [("Content-Length", "0"), ("Connection", "close"), ("Server", "x")])
        return []

    wire = serving(small).wire()
    for _ in range(2):
        status, headers, _ = wire.call("PUT", "/a", {}, b"x")
        assert status == 204
        assert headers.get("connection") != "close"
        assert headers.get("server") != "x"
    wire.close()


def test_lines_of_a_body(serving: Callable[..., Server]) -> None:
    def lines(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found = [environ["wsgi.input"].readline(), environ["wsgi.input"].readline(2), *environ["wsgi.input"]]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"|".join(found)]

    pool = WorkPool("test", 1, 10)
    messages = [{"type": "http.request", "body": b"one\ntwo\nthree\nfour", "more_body": False}]
    _, sent = called(WsgiBridge(lines, pool), messages)
    assert b"".join(m.get("body", b"") for m in sent) == b"one\n|tw|o\n|three\n|four"
    pool.close()
