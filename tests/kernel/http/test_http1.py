"""HTTP/1.1 as bytes on a real socket: framing of answers, connections, and what is refused."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel import http1
from tests.kernel.http.served import HOST, Served, answer_on, echo, everything, pieces


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
