"""Presence with real servers: streams on sockets, several processes, kills."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, Wire
from atrio.kernel.testing.plugin import PASSWORD

pytestmark = pytest.mark.slow
SETTINGS = {
    "ATRIO_PRESENCE__LEASE_SECONDS": "2", "ATRIO_PRESENCE__OFFLINE_SECONDS": "1",
    "ATRIO_PRESENCE__VISIBLE": "true", "ATRIO_SERVER__ACCESS_LOG": "false",
}  # fmt: skip


class Person:
    """A user and his requests, each on a connection of its own."""

    def __init__(self, server: LiveServer, name: str) -> None:
        body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD, "profile": "users"}
        status, answer = server.call("POST", "/api/users", body)
        assert status == 200, answer
        self.server = server
        self.id: int = answer["user_id"]
        token = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        self.headers = {"authorization": f"Basic {token}"}
        self.path = f"/api/users/{self.id}/presence"

    def listen(self) -> Listener:
        return Listener(self)

    def call(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        return self.server.call(method, path, value, **self.headers)

    def status_of(self, other: Person) -> str:
        return str(self.call("GET", other.path)[1]["status"])


class Listener:
    """An open stream whose frames are read by a thread."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.wire = Wire(person.server.port, timeout=60)
        self.text = ""
        self.ended = threading.Event()
        headers = {**person.headers, "accept": "text/event-stream", "connection": "close"}
        self.wire.send("GET", f"/api/users/{person.id}/live_messages", headers)
        threading.Thread(target=self._read, daemon=True).start()
        assert soon(lambda: "event: stream-" in self.text), self.text

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while line := self.wire.file.readline():
                self.text += line.decode("utf-8", "replace").replace("\r", "")
        self.ended.set()

    @property
    def refused(self) -> bool:
        return "event: stream-error" in self.text

    def told(self, about: Person) -> list[str]:
        """Return what was told of somebody."""
        head = "event: presence\ndata: "
        found = [json.loads(part.partition("\n")[0]) for part in self.text.split(head)[1:]]
        return [f["status"] for f in found if f["user_id"] == about.id]

    def close(self) -> None:
        with suppress(OSError):
            self.wire.socket.shutdown(socket.SHUT_RDWR)
        self.wire.socket.close()


def soon(condition: Callable[[], bool], seconds: float = 8) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    made: list[LiveServer] = []

    def give(**env: str) -> LiveServer:
        made.append(LiveServer(tmp_path, env={**SETTINGS, **env}))
        return made[-1]

    yield give
    for server in made:
        server.stop()  # not by a kill: the processes of several workers would outlive it


def noted(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "data" / "atrio.db")) as database:
        return database.execute("SELECT process, user_id, opened, expires FROM presence_online").fetchall()


def online(server: LiveServer) -> int:
    return int(server.call("GET", "/health/ready")[1]["plugins"]["presence"]["facts"]["online"])


def members(server: LiveServer, *people: Person) -> None:
    space = server.space()
    for person in people:
        body = {"user_id": person.id, "role": "reader"}
        assert server.call("POST", f"/api/workspaces/{space}/members", body)[0] == 200


def test_streams_come_and_go(serve: Any, tmp_path: Path) -> None:
    server = serve()
    ann, bob, eve = (Person(server, name) for name in ("ann", "bob", "eve"))
    members(server, ann, bob)
    first, stranger = ann.listen(), eve.listen()
    began = time.monotonic()
    one, two = bob.listen(), bob.listen()
    assert soon(lambda: first.told(bob) == ["online"])
    assert time.monotonic() - began < 1.5
    assert ann.status_of(bob) == "online"
    one.close()
    time.sleep(1.5)
    assert first.told(bob) == ["online"]
    assert len(noted(tmp_path)) == 3
    two.close()
    back = bob.listen()  # in time
    time.sleep(1.2)
    assert ann.status_of(bob) == "online"
    back.close()
    assert soon(lambda: first.told(bob) == ["online", "offline"])
    assert ann.status_of(bob) == "offline"
    assert "event: presence" not in stranger.text
    assert first.told(eve) == first.told(ann) == []
    assert "\nid:" not in first.text.partition("stream-open")[2]
    assert online(server) == 2
    code, seconds = server.stop()
    assert (code, seconds < 8) == (0, True)
    assert noted(tmp_path) == []


def test_who_hides_is_told_as_offline_and_then_no_more(serve: Any) -> None:
    server = serve()
    ann, bob = (Person(server, name) for name in ("ann", "bob"))
    members(server, ann, bob)
    hers, his = ann.listen(), bob.listen()
    assert soon(lambda: hers.told(bob) == ["online"])
    assert bob.call("PUT", bob.path, {"hidden": True})[0] == 204
    assert soon(lambda: hers.told(bob) == ["online", "offline"])
    assert ann.status_of(bob) == "hidden"
    assert bob.status_of(bob) == "online"
    his.close()
    assert soon(lambda: bob.status_of(bob) == "offline")
    bob.listen()
    assert soon(lambda: bob.status_of(bob) == "online")
    time.sleep(0.3)
    assert hers.told(bob) == ["online", "offline"]


def test_nothing_is_told_where_the_config_does_not_allow(serve: Any) -> None:
    server = serve(ATRIO_PRESENCE__VISIBLE="false")
    ann, bob = (Person(server, name) for name in ("ann", "bob"))
    members(server, ann, bob)
    hers, _ = ann.listen(), bob.listen()
    assert soon(lambda: bob.status_of(bob) == "online")
    time.sleep(0.3)
    assert "event: presence" not in hers.text
    assert ann.status_of(bob) == "hidden"


def test_the_users_of_a_killed_server_are_offline_when_their_rows_expire(serve: Any, tmp_path: Path) -> None:
    server = serve()
    ann, bob = (Person(server, name) for name in ("ann", "bob"))
    ann.listen()
    bob.listen()
    assert soon(lambda: online(server) == 2)
    dead = {row[0] for row in noted(tmp_path)}
    server.stop(signal.SIGKILL)
    assert {row[0] for row in noted(tmp_path)} == dead
    after = serve()
    ann.server = bob.server = after
    assert soon(lambda: online(after) == 0, 5)
    ann.listen()
    assert soon(lambda: online(after) == 1)
    assert bob.status_of(bob) == "offline"
    assert soon(lambda: not dead & {row[0] for row in noted(tmp_path)})  # whoever renews deletes them
    time.sleep(2.5)
    assert online(after) == 1  # renewed beyond its lease


def test_two_processes(serve: Any, tmp_path: Path) -> None:
    server = serve(ATRIO_SERVER__WORKERS="2")
    ann, bob, eve = (Person(server, name) for name in ("ann", "bob", "eve"))
    members(server, ann, bob)
    everywhere = []

    def spread(person: Person) -> None:
        """Open streams of a person until both processes have one."""
        for _ in range(60):
            everywhere.append(person.listen())
            if soon(lambda: len({row[0] for row in noted(tmp_path) if row[1] == person.id}) == 2, 0.1):
                return
        raise AssertionError("all connections went to one process")

    spread(ann)
    spread(eve)
    hers = [s for s in everywhere if s.person is ann]
    strangers = [s for s in everywhere if s.person is eve]
    assert online(server) == 2
    his = bob.listen()
    assert soon(lambda: all(s.told(bob) == ["online"] for s in hers), 4)
    his.close()
    assert soon(lambda: all(s.told(bob) == ["online", "offline"] for s in hers), 6)
    assert not any("event: presence" in s.text for s in strangers)

    his = bob.listen()
    assert soon(lambda: all(s.told(bob)[-1] == "online" for s in hers), 4)
    (process,) = {row[0] for row in noted(tmp_path) if row[1] == bob.id}
    os.kill(int(process.split(":")[1]), signal.SIGKILL)
    assert soon(his.ended.is_set, 4)
    left = [s for s in hers if not s.ended.is_set()]
    assert left
    assert soon(lambda: all(s.told(bob)[-1] == "offline" for s in left), 20)
    assert ann.status_of(ann) == "online"
    code, _ = server.stop()
    assert code == 0
    assert noted(tmp_path) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_limit_holds_when_all_come_at_once(serve: Any, tmp_path: Path, workers: str) -> None:
    server = serve(ATRIO_SERVER__WORKERS=workers, ATRIO_PRESENCE__MAXIMUM_ONLINE_USERS="4")
    people = [Person(server, f"user{n}") for n in range(12)]
    streams: list[Listener] = []
    together = threading.Barrier(len(people) * 2)

    def come(person: Person) -> None:
        together.wait()
        streams.append(person.listen())

    threads = [threading.Thread(target=come, args=(p,)) for p in people * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inside = {s.person.id for s in streams if not s.refused}
    outside = [s for s in streams if s.refused]
    assert len(inside) == 4
    assert not inside & {s.person.id for s in outside}  # both tabs of a person have the same luck
    assert len(outside) == 16
    for stream in outside:
        assert soon(stream.ended.is_set)
        assert 'data: {"code":8001,"message":"Too many users online (4/4)"}' in stream.text
        assert "stream-open" not in stream.text
    assert {row[1] for row in noted(tmp_path)} == inside
    for stream in streams:
        if stream.person.id == min(inside):
            stream.close()
    assert soon(lambda: online(server) == 3)
    assert not outside[0].person.listen().refused
    assert outside[-1].person.id == outside[0].person.id or outside[-1].person.listen().refused
