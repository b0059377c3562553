"""Streams of a real server: frames, resuming, ends, slow readers, several processes."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, Wire, certificate
from atrio.kernel.testing.plugin import ADMIN, PASSWORD
from atrio.kernel.testing.sse import Frame, Listener

FAST = {"ATRIO_LIVE__KEEP_ALIVE_SECONDS": "1", "ATRIO_LIVE__POLL_SECONDS": "0.2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    running = LiveServer(tmp_path_factory.mktemp("live"), env=FAST)
    yield running
    running.stop()


def opened(frames: list[Frame]) -> bool:
    return any(f.event == "stream-open" for f in frames)


class Person:
    """A user of the server with a session cookie."""

    def __init__(self, server: LiveServer, name: str, profile: str = "users") -> None:
        self.server = server
        body = {"username": name, "password": PASSWORD, "profile": profile, "email": f"{name}@example.org"}
        status, answer = server.call("POST", "/api/users", body)
        assert status == 200, answer
        self.id = int(answer["user_id"])
        self.name = name
        self.cookie = ""
        self.sign_in()

    def sign_in(self) -> None:
        wire = Wire(self.server.port)
        body = json.dumps({"username": self.name, "password": PASSWORD}).encode()
        status, headers, answer = wire.call("POST", "/api/auth/login", {"content-type": "application/json"}, body)
        wire.close()
        assert status == 200, answer
        self.cookie = headers["set-cookie"].partition(";")[0]

    def call(self, method: str, path: str, value: Any = None) -> int:
        wire = Wire(self.server.port)
        body = json.dumps(value).encode() if value is not None else b""
        headers = {"cookie": self.cookie, "sec-fetch-site": "same-origin", "content-type": "application/json"}
        status, _, _ = wire.call(method, path, headers, body)
        wire.close()
        return status

    def listen(self, query: str = "", of: int | None = None, **headers: str) -> Listener:
        path = f"/api/users/{of or self.id}/live_messages{query}"
        listener = Listener(self.server.port, path, {"cookie": self.cookie, **headers})
        listener.wait(opened)
        return listener


@pytest.fixture(scope="module")
def people(server: LiveServer) -> dict[str, Person]:
    return {name: Person(server, name) for name in ("ann", "ben")}


@pytest.fixture(scope="module")
def space(server: LiveServer, people: dict[str, Person]) -> int:
    made = server.space("Streams")
    for person in people.values():
        body = {"user_id": person.id, "role": "contributor"}
        assert server.call("POST", f"/api/workspaces/{made}/members", body)[0] == 200
    return made


def write(server: LiveServer, space: int, label: str) -> int:
    body = {"label": label, "content_type": "html-document"}
    status, answer = server.call("POST", f"/api/workspaces/{space}/contents", body)
    assert status == 200, answer
    return int(answer["content_id"])


def test_the_frames_of_a_stream(server: LiveServer, people: dict[str, Person], space: int) -> None:
    stream = people["ann"].listen()
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-cache"
    assert "etag" not in stream.headers
    write(server, space, "Framed")
    stream.wait(1)
    frame = stream.messages[0]
    assert frame.json["event_type"] == "content.created.html-document"
    assert frame.json["event_id"] == frame.id
    assert set(frame.json) == {"event_id", "event_type", "created", "read", "fields"}
    assert frame.json["read"] is None
    assert frame.json["fields"]["content"]["label"] == "Framed"
    stream.wait(lambda frames: [f for f in frames if f.event == "keep-alive" and f.data == ""])
    stream.close()


def test_what_a_stream_asks_for(server: LiveServer, people: dict[str, Person]) -> None:
    ann, ben = people["ann"], people["ben"]
    wire = Wire(server.port)
    path = f"/api/users/{ann.id}/live_messages"
    status, _, body = wire.call("GET", path, {"cookie": ann.cookie})
    assert (status, json.loads(body)["code"]) == (400, 2001)
    given = {"accept": "text/event-stream"}
    status, _, body = wire.call("GET", f"{path}?after_event_id=x", {"cookie": ann.cookie, **given})
    assert (status, json.loads(body)["code"]) == (400, 2001)
    assert wire.call("GET", path, given)[0] == 401
    status, _, body = wire.call("GET", path, {"cookie": ben.cookie, **given})
    assert status == 403
    status, _, body = wire.call("GET", "/api/users/99999/live_messages", {"cookie": ben.cookie, **given})
    assert status == 403
    status, _, body = wire.call("GET", "/api/users/99999/live_messages", {**server.basic, **given})
    assert (status, json.loads(body)["code"]) == (400, 1001)
    wire.close()


@pytest.mark.parametrize("way", ["after_event_id", "last-event-id", "both"])
def test_a_stream_resumes_page_by_page_while_others_write(
    server: LiveServer, people: dict[str, Person], space: int, way: str
) -> None:
    ann = people["ann"]
    first = ann.listen()
    write(server, space, f"Before {way}")
    first.wait(1)
    last = first.ids[-1]
    first.close()
    for number in range(130):  # more than a page of what was missed
        write(server, space, f"Missed {way} {number}")
    going = threading.Event()
    made: list[int] = []

    def keep_writing() -> None:
        while not going.is_set():
            made.append(write(server, space, f"Meanwhile {way} {len(made)}"))

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        if way == "after_event_id":
            second = ann.listen(f"?after_event_id={last}")
        elif way == "last-event-id":
            second = ann.listen(**{"last-event-id": str(last)})
        else:
            second = ann.listen("?after_event_id=1", **{"last-event-id": str(last)})
        second.wait(150, 30)
    finally:
        going.set()
        writer.join()
    second.wait(130 + len(made), 30)
    time.sleep(0.3)
    assert second.ids == list(range(last + 1, last + 131 + len(made)))
    second.close()


def test_signing_out_ends_all_streams_of_the_user_and_no_other(
    server: LiveServer, people: dict[str, Person], space: int
) -> None:
    carl = Person(server, "carl")
    tabs = [carl.listen(), carl.listen()]
    other = people["ann"].listen()
    watched = Listener(server.port, f"/api/users/{carl.id}/live_messages", server.basic)
    watched.wait(opened)
    assert carl.call("POST", "/api/auth/logout") == 204
    for tab in (*tabs, watched):
        tab.wait(None, 3)
    assert not other.over
    other.close()


@pytest.mark.parametrize("how", ["disabled", "trashed", "password"])
def test_losing_the_account_ends_the_streams_at_once(server: LiveServer, how: str) -> None:
    person = Person(server, f"gone-{how}")
    stream = person.listen()
    if how == "password":
        body = {
            "loggedin_user_password": PASSWORD, "new_password": "another-password",
            "new_password2": "another-password",
        }  # fmt: skip
        assert server.call("PUT", f"/api/users/{person.id}/password", body)[0] == 204
    else:
        assert server.call("PUT", f"/api/users/{person.id}/{how}")[0] == 204
    stream.wait(None, 3)
    wire = Wire(server.port)
    headers = {"cookie": person.cookie, "accept": "*/*"}
    assert wire.call("GET", f"/api/users/{person.id}/live_messages", headers)[0] == 401
    wire.close()


def test_an_administrator_who_is_none_any_more_sees_no_other_stream(
    server: LiveServer, people: dict[str, Person]
) -> None:
    chief = Person(server, "chief", "administrators")
    stream = chief.listen(of=people["ann"].id)
    body = {"profile": "users"}
    assert server.call("PUT", f"/api/users/{chief.id}/profile", body)[0] == 204
    stream.wait(None, 3)


def test_who_leaves_a_space_hears_that_and_nothing_more(server: LiveServer) -> None:
    dora = Person(server, "dora")
    space = server.space("Left")
    body = {"user_id": dora.id, "role": "reader"}
    assert server.call("POST", f"/api/workspaces/{space}/members", body)[0] == 200
    stream = dora.listen()
    write(server, space, "Seen")
    stream.wait(1)
    assert server.call("DELETE", f"/api/workspaces/{space}/members/{dora.id}")[0] == 204
    stream.wait(2)
    assert stream.messages[-1].json["event_type"] == "workspace_member.deleted"
    write(server, space, "Unseen")
    body = {"label": "After", "description": "", "access_type": "open", "default_user_role": "reader"}
    assert server.call("POST", "/api/workspaces", body)[0] == 200
    stream.wait(lambda f: any("After" in x.data for x in f))
    assert "Unseen" not in "".join(f.data for f in stream.frames)
    stream.close()


def test_a_client_that_never_reads_is_cut_and_harms_nobody(tmp_path: Path) -> None:
    env = {**FAST, "ATRIO_LIVE__BUFFER_MESSAGES": "20", "ATRIO_LIVE__STALL_SECONDS": "2"}
    server = LiveServer(tmp_path, env=env)
    try:
        space = server.space()
        path = "/api/users/1/live_messages"
        deaf = [Listener(server.port, path, server.basic, read=False, buffer=4096) for _ in range(5)]
        good = Listener(server.port, path, server.basic)
        good.wait(opened)
        note = write(server, space, "Long")
        for number in range(60):
            body = {"description": f"{number} " + "x" * 300_000}
            assert server.call("PUT", f"/api/workspaces/{space}/html-documents/{note}", body)[0] == 200
        good.wait(61, 20)
        deadline = time.monotonic() + 15
        while server.call("GET", "/health/ready")[1]["plugins"]["live"]["facts"]["streams"] > 1:
            assert time.monotonic() < deadline, "the deaf streams are still open"
            time.sleep(0.2)
        deaf[0].start()
        deaf[0].wait(None, 20)
        seen = deaf[0].ids
        assert seen == list(range(seen[0], seen[-1] + 1))
        assert len(seen) < 61
        again = Listener(server.port, path, {**server.basic, "last-event-id": str(seen[-1])})
        again.wait(61 - len(seen), 20)
        assert seen + again.ids == good.ids
        for stream in (*deaf, good, again):
            stream.close()
    finally:
        server.stop()


def test_the_server_stops_in_seconds_with_streams_open(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, env=FAST)
    streams = [Listener(server.port, "/api/users/1/live_messages", server.basic) for _ in range(20)]
    for stream in streams:
        stream.wait(opened)
    code, seconds = server.stop(signal.SIGTERM)
    assert code == 0
    assert seconds < 6
    for stream in streams:
        stream.wait(None, 2)


def test_half_open_connections_block_nobody(server: LiveServer, people: dict[str, Person], space: int) -> None:
    import socket

    half = []
    for number in range(1500):
        found = socket.create_connection(("127.0.0.1", server.port))
        if number % 3:
            found.sendall(b"GET /api/users/1/live_messages HTTP/1.1\r\nhost: x\r\n")
        half.append(found)
    stream = people["ben"].listen()
    write(server, space, "Beside many")
    stream.wait(1)
    stream.close()
    for found in half:
        found.close()


def test_several_tabs_over_one_http2_connection(tmp_path: Path) -> None:
    import httpx2

    cert, key = certificate(tmp_path)
    env = {**FAST, "ATRIO_SERVER__TLS_CERT": str(cert), "ATRIO_SERVER__TLS_KEY": str(key)}
    server = LiveServer(tmp_path, env=env, tls=True)
    try:
        url = f"https://127.0.0.1:{server.port}"
        limits = httpx2.Limits(max_connections=1)
        got: dict[int, list[str]] = {n: [] for n in range(8)}
        ready = threading.Barrier(9)
        is_open = [threading.Event() for _ in got]
        with httpx2.Client(http2=True, verify=False, auth=(ADMIN, PASSWORD), limits=limits) as client:
            assert client.get(f"{url}/api/auth/whoami").http_version == "HTTP/2"

            def tab(number: int) -> None:
                path = f"{url}/api/users/1/live_messages"
                with client.stream("GET", path, headers={"accept": "text/event-stream"}) as answer:
                    lines = answer.iter_lines()
                    for line in lines:
                        if line.startswith("event: stream-open"):
                            break
                    is_open[number].set()
                    ready.wait(20)
                    for line in lines:
                        if line.startswith("id: "):
                            got[number].append(line)
                        if len(got[number]) == 3:
                            return

            tabs = [threading.Thread(target=tab, args=(n,)) for n in got]
            for number, thread in enumerate(tabs):  # one by one: this client numbers its streams without a lock
                thread.start()
                assert is_open[number].wait(20)
            ready.wait(20)
            space = server.space()
            write(server, space, "For all tabs")
            for thread in tabs:
                thread.join(20)
        assert len({tuple(ids) for ids in got.values()}) == 1
        assert len(got[0]) == 3
    finally:
        server.stop()


def test_a_second_process_sees_what_the_first_one_wrote(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, env={**FAST, "ATRIO_SERVER__WORKERS": "2"})
    try:
        streams = [Listener(server.port, "/api/users/1/live_messages", server.basic) for _ in range(12)]
        for stream in streams:
            stream.wait(opened)
        space = server.space()
        for number in range(10):
            write(server, space, f"Note {number}")
        for stream in streams:
            stream.wait(12)
            assert stream.ids == streams[0].ids
            stream.close()
    finally:
        server.stop()
