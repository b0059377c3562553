"""Streams over several machines: two servers on one PostgreSQL or MariaDB, with Redis between them, and without."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atrio.kernel.testing.live import LiveServer
from atrio.kernel.testing.plugin import service_url
from atrio.kernel.testing.sse import Frame, Listener

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
PATH = "/api/users/1/live_messages"


class Forwarder:
    """A port that leads to Redis, and can be shut like a cable that is pulled."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}{parts.path}"
        self.open = True
        self.pairs: list[socket.socket] = []
        self.rung = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                mine, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                mine.close()
                continue
            theirs = socket.create_connection(self.target)
            self.pairs += [mine, theirs]
            for one, other in ((mine, theirs), (theirs, mine)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while block := one.recv(65536):
                self.rung += block.count(b"PUBLISH")
                other.sendall(block)
        except OSError:
            pass
        other.close()

    def cut(self) -> None:
        self.open = False
        for found in self.pairs:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
            found.close()
        self.pairs.clear()

    def close(self) -> None:
        self.cut()
        self.listener.close()


@pytest.fixture
def redis() -> Iterator[Forwarder]:
    url = service_url("redis_url")
    if url is None:
        pytest.skip("ATRIO_TEST_REDIS_URL is not set")
    forwarder = Forwarder(url)
    yield forwarder
    forwarder.close()


def opened(frames: list[Frame]) -> bool:
    return any(f.event == "stream-open" for f in frames)


def note(server: LiveServer, space: int, label: str) -> float:
    body = {"label": label, "content_type": "html-document"}
    assert server.call("POST", f"/api/workspaces/{space}/contents", body)[0] == 200
    return time.monotonic()


def test_two_servers_ring_each_other_and_miss_nothing_when_the_bell_is_gone(
    tmp_path: Path, url: str, redis: Forwarder
) -> None:
    env = {"ATRIO_DATABASE_URL": url, "ATRIO_REDIS_URL": redis.url, "ATRIO_TASKS__QUEUE": "sqlite"}
    one = LiveServer(tmp_path / "one", env={**env, "ATRIO_LIVE__POLL_SECONDS": "30"})
    two = LiveServer(tmp_path / "two", env={**env, "ATRIO_LIVE__POLL_SECONDS": "30"})
    three = LiveServer(tmp_path / "three", env={**env, "ATRIO_LIVE__POLL_SECONDS": "1"})
    streams = []
    try:
        space = one.space()
        streams = [Listener(s.port, PATH, one.basic) for s in (two, three)]
        for stream in streams:
            stream.wait(opened, 20)
        time.sleep(1.5)  # both listen to the bell by now
        note(one, space, "Rung")
        for stream in streams:
            stream.wait(1, 8)  # long before its own clock would look
        assert redis.rung > 0
        redis.cut()
        began = time.monotonic()
        written = note(one, space, "Silent")
        assert written - began < 3  # nobody waits for Redis
        streams[1].wait(2, 10)
        assert len(streams[0].messages) == 1  # its clock is slow, and nobody rang
        redis.open = True
        time.sleep(5)  # they listen again, and look at once
        streams[0].wait(2, 10)
        note(one, space, "Rung again")
        for stream in streams:
            stream.wait(3, 10)
        assert streams[0].ids == streams[1].ids == list(range(streams[0].ids[0], streams[0].ids[0] + 3))
    finally:
        for stream in streams:
            stream.close()
        for server in (one, two, three):
            server.stop()


def test_many_writers_on_two_servers_and_no_gap_in_any_stream(tmp_path: Path, url: str) -> None:
    """Ids rise in the order of commits, over processes: a reader that saw N has seen all before it."""
    env = {"ATRIO_DATABASE_URL": url, "ATRIO_LIVE__POLL_SECONDS": "0.05", "ATRIO_TASKS__QUEUE": "sqlite"}
    servers = [LiveServer(tmp_path / name, env=env) for name in ("one", "two")]
    streams = []
    try:
        space = servers[0].space()
        streams = [Listener(s.port, PATH, s.basic) for s in servers for _ in range(3)]
        for stream in streams:
            stream.wait(opened, 20)

        def write(server: LiveServer, name: str) -> None:
            for number in range(25):
                note(server, space, f"{name} {number}")

        writers = [
            threading.Thread(target=write, args=(s, f"{i}{n}")) for n, s in enumerate(servers) for i in "abc"
        ]
        for thread in writers:
            thread.start()
        time.sleep(0.5)
        late = Listener(servers[1].port, f"{PATH}?after_event_id=1", servers[1].basic)
        streams.append(late)
        for thread in writers:
            thread.join()
        for stream in streams:
            stream.wait(150, 30)
        time.sleep(0.5)
        for stream in streams[:-1]:
            assert stream.ids == list(range(stream.ids[0], stream.ids[0] + 150))
        assert late.ids == list(range(2, streams[0].ids[-1] + 1))
    finally:
        for stream in streams:
            stream.close()
        for server in servers:
            server.stop()
