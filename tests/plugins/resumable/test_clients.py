"""Public clients of tus against a real server of two processes, over connections that break off; a server that dies."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from atrio.kernel.testing.live import LiveServer, Wire, free_port

from .conftest import STREAM, VERSION, encoded

SIZE = 3_000_000
DATA = hashlib.shake_128(b"atrio").digest(SIZE)
PROXY = free_port()
ENV = {
    "ATRIO_SERVER__WORKERS": "2", "ATRIO_WEBSITE__BASE_URL": f"http://127.0.0.1:{PROXY}",
    "ATRIO_PLUGINS__DISABLED": "mail,search,search_elastic",
}  # fmt: skip


class CuttingProxy:
    """Passes bytes on to a server, and breaks each of the first connections off after some bytes to it."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.cuts: list[int] = []
        self.done = 0
        self.listener = socket.create_server(("127.0.0.1", PROXY))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                if counted and self.cuts and passed + len(data) > self.cuts[0]:
                    target.sendall(data[: self.cuts.pop(0) - passed])
                    self.done += 1
                    break
                passed += len(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listener.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    served = LiveServer(tmp_path_factory.mktemp("tus"), env=ENV)
    yield served
    served.stop()


@pytest.fixture(scope="module")
def space(server: LiveServer) -> int:
    return server.space("Alpha")


@pytest.fixture(scope="module")
def listening(server: LiveServer) -> Iterator[CuttingProxy]:
    made = CuttingProxy(server.port)
    yield made
    made.close()


@pytest.fixture
def proxy(listening: CuttingProxy) -> CuttingProxy:
    listening.cuts, listening.done = [700_000, 900_000], 0
    return listening


def stored(server: LiveServer, space: int, name: str) -> bytes:
    items = server.call("GET", f"/api/workspaces/{space}/contents")[1]["items"]
    (content_id,) = (c["content_id"] for c in items if c["filename"] == name)
    wire = Wire(server.port)
    status, _, body = wire.call("GET", f"/api/workspaces/{space}/files/{content_id}/raw/{name}", server.basic)
    wire.close()
    assert status == 200
    return body


@pytest.mark.parametrize("check", [False, True], ids=["plain", "checksum"])
def test_tuspy(server: LiveServer, space: int, proxy: CuttingProxy, check: bool) -> None:
    from tusclient.client import TusClient

    name = f"tuspy-{check}.bin"
    client = TusClient(f"http://127.0.0.1:{PROXY}/api/workspaces/{space}/uploads", headers=server.basic)
    uploader = client.uploader(
        file_stream=io.BytesIO(DATA), chunk_size=1_500_000, metadata={"filename": name}, retries=20, retry_delay=0.2,
        upload_checksum=check,
    )  # fmt: skip
    uploader.upload()
    assert proxy.done == 2
    assert uploader.request.response_headers["atrio-content-id"]
    assert stored(server, space, name) == DATA


def test_aiotus(server: LiveServer, space: int, proxy: CuttingProxy) -> None:
    import aiotus

    place = f"http://127.0.0.1:{PROXY}/api/workspaces/{space}/uploads"
    settings = aiotus.RetryConfiguration(retry_attempts=20, max_retry_period_seconds=0.2)

    async def send() -> Any:
        return await aiotus.upload(
            place, io.BytesIO(DATA), metadata={"filename": b"aiotus.bin"}, headers=server.basic, config=settings
        )

    location = asyncio.run(send())
    assert location is not None
    assert proxy.done == 2
    assert stored(server, space, "aiotus.bin") == DATA


def begin(server: LiveServer, space: int, name: str) -> str:
    wire = Wire(server.port)
    headers = {**server.basic, **VERSION, "Upload-Length": str(SIZE), "Upload-Metadata": encoded(filename=name)}
    status, answer, _ = wire.call("POST", f"/api/workspaces/{space}/uploads", headers)
    wire.close()
    assert status == 201
    return urlsplit(answer["location"]).path


def send_part(server: LiveServer, path: str, offset: int, part: bytes, announced: int) -> Wire:
    """Send the beginning of a PATCH and leave it open."""
    wire = Wire(server.port)
    given = {
        **server.basic, **STREAM, "host": "localhost", "Upload-Offset": str(offset), "Content-Length": str(announced),
    }  # fmt: skip
    head = "".join(f"{k}: {v}\r\n" for k, v in given.items())
    wire.socket.sendall(f"PATCH {path} HTTP/1.1\r\n{head}\r\n".encode() + part)
    return wire


def look(server: LiveServer, path: str) -> tuple[int, dict[str, str]]:
    """Ask where an upload stands, until nobody writes to it."""
    deadline = time.monotonic() + 10
    while True:
        wire = Wire(server.port)
        wire.socket.sendall(
            f"HEAD {path} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\n"
            f"authorization: {server.basic['authorization']}\r\nconnection: close\r\n\r\n".encode()
        )
        lines = wire.file.read().decode("latin-1").split("\r\n")
        wire.close()
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        if status != 423 or time.monotonic() > deadline:
            return status, headers
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_every_byte_that_came_counts(server: LiveServer, space: int, how: str) -> None:
    path = begin(server, space, f"cut-{how}.bin")
    offset = 0
    for cut in (1, 4096, 65_535, 600_001):
        wire = send_part(server, path, offset, DATA[offset : offset + cut], SIZE - offset)
        if how == "reset":  # what lies unread in the kernel of either side is lost then: no more than came counts
            deadline = time.monotonic() + 10
            while (
                server.call("GET", path)[1]["offset"] == offset
                and cut > 512 * 1024
                and time.monotonic() < deadline
            ):
                pass
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        wire.close()
        deadline, came = time.monotonic() + 10, -1
        while came != offset + cut and time.monotonic() < deadline:
            status, headers = look(server, path)
            assert status == 200
            came = int(headers["upload-offset"])
            if how == "reset":
                break
        assert came == offset + cut if how == "close" else offset <= came <= offset + cut
        offset = came
    wire = send_part(server, path, offset, DATA[offset:], SIZE - offset)
    status, headers, _ = wire.read()
    wire.close()
    assert status == 204
    assert headers["atrio-content-id"]
    assert stored(server, space, f"cut-{how}.bin") == DATA


def test_a_second_writer_is_refused(server: LiveServer, space: int) -> None:
    path = begin(server, space, "two.bin")
    first = send_part(server, path, 0, DATA[:1_200_000], SIZE)
    deadline = time.monotonic() + 10
    while server.call("GET", path)[1]["offset"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second = send_part(server, path, 0, b"x", 1)
    assert second.read()[0] == 423
    second.close()
    first.socket.sendall(DATA[1_200_000:])
    assert first.read()[0] == 204
    first.close()
    assert stored(server, space, "two.bin") == DATA


def test_who_only_waits_gives_way(server: LiveServer, space: int) -> None:
    """A connection that died without a word: the client comes back on another, whichever process answers."""
    path = begin(server, space, "dead.bin")
    dead = send_part(server, path, 0, DATA[:600_000], SIZE)
    deadline = time.monotonic() + 10
    while server.call("GET", path)[1]["offset"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status, headers = look(server, path)
    assert (status, headers["upload-offset"]) == (200, "600000")
    again = send_part(server, path, 600_000, DATA[600_000:], SIZE - 600_000)
    assert again.read()[0] == 204
    again.close()
    dead.close()
    assert stored(server, space, "dead.bin") == DATA


def test_a_server_that_dies(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, port = tmp_path_factory.mktemp("dies"), free_port()
    env = {"ATRIO_PLUGINS__DISABLED": "mail,search,search_elastic"}
    served = LiveServer(folder, env=env, port=port)
    space = served.space("Alpha")
    path = begin(served, space, "dies.bin")
    wire = send_part(served, path, 0, DATA[:2_000_000], SIZE)
    while served.call("GET", path)[1]["offset"] == 0:
        time.sleep(0.02)
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    wire.close()
    again = LiveServer(folder, env=env, port=port)
    try:
        status, headers = look(again, path)
        offset = int(headers["upload-offset"])
        assert status == 200
        assert 0 < offset <= 2_000_000
        wire = send_part(again, path, offset, DATA[offset:], SIZE - offset)
        assert wire.read()[0] == 204
        wire.close()
        assert stored(again, space, "dies.bin") == DATA
    finally:
        again.stop()
