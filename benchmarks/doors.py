"""One large file through every door, in and out: what stays in memory, how fast it goes."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from drive import BLOCK, blocks
from load import resident_mib
from server import PASSWORD, Server

Row = Callable[..., None]
MIB = 1024 * 1024
BASIC = base64.b64encode(f"admin@admin.admin:{PASSWORD}".encode()).decode()


class Watch:
    """The largest resident memory of a process while the block lasts."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.before = resident_mib(pid)
        self.peak = self.before
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, resident_mib(self.pid))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Doors:
    """The ways of a file into a server and out of it."""

    def __init__(self, server: Server, mib: int, name: str) -> None:
        self.server = server
        self.mib = mib
        self.file = f"/webdav/{name}.space/drive.bin"
        body = {"label": name, "description": "", "access_type": "open", "default_user_role": "reader"}
        self.space: int = server.call("POST", "/api/workspaces", body)["workspace_id"]
        self.root = f"/api/workspaces/{self.space}"
        self.content = 0
        self.own = {"cookie": server.headers["cookie"]}

    def send(
        self, method: str, path: str, body: Iterator[bytes] | bytes | None, length: int, **headers: str
    ) -> http.client.HTTPResponse:
        """Send a request whose body is made while it is sent; returns the answer, which is good."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=600)
        given = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None:
            given["content-length"] = str(length)
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.read(300))
        return answer

    def form(self, method: str, path: str, headers: dict[str, str], name: str = "files", **fields: str) -> bytes:
        """Send the file in a form, in the field of this name."""
        head = "".join(
            f'--bench\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
        )
        head += f'--bench\r\ncontent-disposition: form-data; name="{name}"; filename="big.bin"\r\n'
        start, end = f"{head}content-type: application/octet-stream\r\n\r\n".encode(), b"\r\n--bench--\r\n"

        def body() -> Iterator[bytes]:
            yield start
            yield from blocks(self.mib)
            yield end

        length = len(start) + self.mib * MIB + len(end)
        kind = "multipart/form-data; boundary=bench"
        return self.send(method, path, body(), length, content_type=kind, **headers).read()

    def create(self) -> None:
        """POST a file."""
        self.content = json.loads(self.form("POST", f"{self.root}/files", self.own))["content_id"]

    def replace(self) -> None:
        """PUT new bytes of it."""
        self.form("PUT", f"{self.root}/files/{self.content}/raw/big.bin", self.own)

    def drive(self) -> None:
        """PUT on the drive."""
        self.send("PUT", self.file, blocks(self.mib), self.mib * MIB, authorization=f"Basic {BASIC}").read()

    def resumable(self) -> None:
        """Upload by tus."""
        version = {"tus_resumable": "1.0.0", **self.own}
        name = base64.b64encode(b"tus.bin").decode()
        begun = self.send(
            "POST", f"{self.root}/uploads", b"", 0, upload_length=str(self.mib * MIB),
            upload_metadata=f"filename {name}", **version,
        )  # fmt: skip
        place = begun.headers["location"]
        self.send(
            "PATCH", place[place.index("/api/") :], blocks(self.mib), self.mib * MIB, upload_offset="0",
            content_type="application/offset+octet-stream", **version,
        ).read()  # fmt: skip

    def guest(self) -> None:
        """Upload by a link."""
        made = self.server.call("POST", f"{self.root}/upload_permissions", {"emails": ["a@example.org"]})
        self.form("POST", f"/api/public/guest-upload/{made[0]['token']}", {}, "file_0", username="Ann")

    def read(self, path: str, **headers: str) -> None:
        """Read a whole answer and look at its size."""
        answer = self.send("GET", path, None, 0, **headers)
        size = 0
        while data := answer.read(MIB):
            size += len(data)
        assert size >= self.mib * MIB, (path, size)

    def ways(self) -> dict[str, Callable[[], Any]]:
        """Return every way by name, in an order in which each finds what it needs."""
        own = self.own
        file = f"{self.root}/files"

        def shared() -> None:
            made = self.server.call(
                "POST", f"{self.root}/contents/{self.content}/shares", {"emails": ["a@example.org"]}
            )  # fmt: skip
            self.read(f"/api/public/guest-download/{made[0]['share_token']}/big.bin")

        def revision() -> None:
            last = self.server.call("GET", f"{file}/{self.content}")["current_revision_id"]
            self.read(f"{file}/{self.content}/revisions/{last}/raw/big.bin", **own)

        return {
            "POST of a file": self.create, "PUT of a file": self.replace, "PUT on the drive": self.drive,
            "tus": self.resumable, "upload link": self.guest,
            "GET of a file": lambda: self.read(f"{file}/{self.content}/raw/big.bin", **own),
            "GET of a revision": revision,
            "GET on the drive": lambda: self.read(self.file, authorization=f"Basic {BASIC}"),
            "share": shared,
            "zip": lambda: self.read(f"{self.root}/zip/all.zip?content_ids={self.content}", **own),
        }  # fmt: skip


def bench_doors(folder: Path, row: Row, mib: int) -> None:
    """Send and fetch one file by every way, one after the other, in a process that has seen small ones before."""
    folder.mkdir(exist_ok=True)
    assert len(BLOCK) == MIB
    server = Server(folder)
    server.sign_in()
    for way in Doors(server, 1, "Small").ways().values():  # what is built once is not what is measured
        way()
    doors = Doors(server, mib, "Large")
    found: dict[str, tuple[float, float]] = {}
    for name, way in doors.ways().items():
        began = time.perf_counter()
        with Watch(server.pid) as watch:
            way()
        found[name] = (watch.peak - watch.before, mib / (time.perf_counter() - began))
    server.stop()
    worst = max(found, key=lambda name: found[name][0])
    rates = ", ".join(f"{name} {rate:.0f}" for name, (_, rate) in found.items())
    row(
        f"{mib} MiB through each of {len(found)} doors: memory", f"+{found[worst][0]:.0f} MiB", "64 MiB",
        f"most by {worst}; MiB/s: {rates}",
    )  # fmt: skip
