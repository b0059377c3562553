"""Many at once, and those who never finish: the server stays up, answers the others, and keeps its memory."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atrio.kernel.testing.live import LiveServer, Wire

pytest.importorskip("wsgidav")
pytestmark = pytest.mark.slow
DRIVE = "/webdav/Alpha.space"
CLIENTS, REQUESTS, HALF_OPEN = 32, 60, 150


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    env = {"ATRIO_PLUGINS__ENABLED": "webdav", "ATRIO_SERVER__STALL_SECONDS": "2"}
    served = LiveServer(tmp_path / "live", env=env)
    served.space("Alpha")
    yield served
    served.stop()


def resident(served: LiveServer) -> int:
    """Return the MiB that the server holds in memory."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def test_thousands_of_listings_at_once(server: LiveServer) -> None:
    wire = Wire(server.port)
    for number in range(100):
        assert wire.call("PUT", f"{DRIVE}/{number}.txt", server.basic, b"x")[0] == 201
    statuses: list[int] = []
    before = resident(server)

    def ask(depth: str) -> None:
        mine = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        for _ in range(REQUESTS):
            mine.request("PROPFIND", DRIVE, headers={**server.basic, "depth": depth})
            answer = mine.getresponse()
            body = answer.read()
            statuses.append(answer.status)
            assert answer.status != 207 or body.rstrip().endswith(b"multistatus>")
        mine.close()

    threads = [threading.Thread(target=ask, args=(("0", "1", "infinity")[n % 3],)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wire.close()
    assert len(statuses) == CLIENTS * REQUESTS
    assert set(statuses) <= {207, 503}, "served, or told to come again"
    assert statuses.count(207) > CLIENTS
    assert resident(server) - before < 150
    assert "Traceback" not in server.log.read_text()


def test_uploads_that_never_end(server: LiveServer) -> None:
    wire = Wire(server.port)
    assert wire.call("PUT", f"{DRIVE}/kept.txt", server.basic, b"kept")[0] == 201
    before = resident(server)
    open_ones = []
    for number in range(HALF_OPEN):
        made = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        name = "kept.txt" if number % 2 else f"{number}.bin"
        made.sendall(
            f"PUT {DRIVE}/{name} HTTP/1.1\r\nhost: x\r\nauthorization: {server.basic['authorization']}\r\n"
            f"content-length: 1000000\r\n\r\n".encode() + b"x" * 5000
        )  # fmt: skip
        open_ones.append(made)
    began = time.monotonic()
    fresh = Wire(server.port, timeout=30)
    status, _, body = fresh.call("GET", "/api/auth/whoami", server.basic)
    assert (status, json.loads(body)["user_id"]) == (200, 1)
    status, _, body = fresh.call("GET", f"{DRIVE}/kept.txt", server.basic)
    assert (status, body) == (200, b"kept")
    assert fresh.call("PUT", f"{DRIVE}/other.txt", server.basic, b"other")[0] == 201
    assert time.monotonic() - began < 20, "nor does the drive: a body that is awaited holds no thread"
    assert resident(server) - before < 150
    for each in open_ones:
        each.close()
    incoming = server.folder / "data" / "blobs" / "incoming"
    deadline = time.monotonic() + 60
    while any(incoming.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(incoming.iterdir()), "nothing is left of them"
    assert fresh.call("PUT", f"{DRIVE}/kept.txt", server.basic, b"new")[0] == 204
    assert "Traceback" not in server.log.read_text()
