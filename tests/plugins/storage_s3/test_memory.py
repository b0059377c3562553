"""Large files pass through: memory does not grow with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, Wire

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]
MIB = 1024 * 1024
SIZE = 256 * MIB
ROOM = 64 * MIB
BLOCK = bytes(range(256)) * 4096


def blocks() -> Iterator[bytes]:
    for n in range(SIZE // MIB):
        yield n.to_bytes(8, "big") + BLOCK[8:]


def peak(pid: int, *, reset: bool = False) -> int:
    """The most memory that a process held since it was reset, in bytes."""
    if reset:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def test_a_large_file_in_and_out(tmp_path: Path, rclone: Any, bucket: Path) -> None:
    env = {f"ATRIO_{k.upper()}": str(v) for k, v in rclone.settings(bucket.name).items()}
    server = LiveServer(tmp_path, env=env)
    try:
        space = server.space()
        server.call("GET", "/health/ready")
        small = b"--x\r\ncontent-disposition: form-data; name=files; filename=small.bin\r\n\r\nsmall\r\n--x--\r\n"
        form = {**server.basic, "content-type": "multipart/form-data; boundary=x"}
        wire = Wire(server.port, timeout=300)
        assert wire.call("POST", f"/api/workspaces/{space}/files", form, small)[0] == 200
        began = peak(server.process.pid, reset=True)

        head = small.replace(b"small", b"large").partition(b"large\r\n--x--")[0]
        length = len(head) + SIZE + len(b"\r\n--x--\r\n")
        wire.send("POST", f"/api/workspaces/{space}/files", {**form, "content-length": str(length)}, head)
        hashed = hashlib.sha256()
        for block in blocks():
            hashed.update(block)
            wire.socket.sendall(block)
        wire.socket.sendall(b"\r\n--x--\r\n")
        status, _, answer = wire.read()
        assert status == 200, answer
        assert peak(server.process.pid) - began < ROOM, "the upload"

        content = int(re.findall(rb'"content_id":\s*(\d+)', answer)[0])
        wire.send("GET", f"/api/workspaces/{space}/files/{content}/raw/large.bin", server.basic)
        assert wire.file.readline().split()[1] == b"200"
        while wire.file.readline() not in (b"\r\n", b""):
            pass
        came, left = hashlib.sha256(), SIZE
        while left:
            block = wire.file.read(min(MIB, left))
            assert block
            came.update(block)
            left -= len(block)
        assert came.digest() == hashed.digest()
        assert peak(server.process.pid) - began < ROOM, "the download"
        wire.close()
    finally:
        server.stop()
