"""A bucket that is away, refuses, or goes in the middle; a process that dies between the bytes and their row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel import storage
from atrio.kernel.errors import BlobsUnavailable, BootError
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel

from .test_store import age, objects, put

pytestmark = pytest.mark.services
MIB = 1024 * 1024


@pytest.fixture
def place(make_space: Any) -> str:
    return f"/api/workspaces/{make_space()}"


def send(client: Client, place: str, name: str, data: bytes) -> Any:
    return client.request("POST", f"{place}/files", files={"files": (name, data, "application/octet-stream")})


def rows(kernel: Kernel) -> int:
    with kernel.unit(writes=False) as ctx:
        return int(ctx.execute(text("SELECT count(*) FROM kernel_blob")).scalar() or 0)


def check_now(kernel: Kernel) -> None:
    kernel.blobs._checked = (0.0, None)  # type: ignore[attr-defined]
    kernel.blobs.check()


def test_while_the_server_is_away(
    kernel: Kernel, client: Client, stranger: Client, place: str, rclone: Any, bucket: Path
) -> None:
    file = put(client, place, "a.txt", b"kept")
    path = f"{place}/files/{file}/raw/a.txt"
    assert stranger.get("/health/ready").json["blobs"] == "ok"
    rclone.kill()
    for answer in (send(client, place, "b.txt", b"new"), client.get(path)):
        assert (answer.status, answer.json["code"]) == (503, 20130)
        assert answer.headers["retry-after"] == "5"
    assert client.request("PUT", "/webdav/Alpha.space/c.txt", body=b"new").status == 503
    assert client.get("/webdav/Alpha.space/a.txt").status == 503
    assert client.request("HEAD", path).status == 200
    assert rows(kernel) == 1
    assert list(kernel.blobs.incoming.glob("*")) == []
    with pytest.raises(BlobsUnavailable):
        check_now(kernel)
    ready = stranger.get("/health/ready")
    assert (ready.status, ready.json["blobs"]) == (503, "unreachable")
    kernel.start(consume=False)  # it may come back
    rclone.start()
    check_now(kernel)
    assert stranger.get("/health/ready").status == 200
    assert client.get(path).body == b"kept"
    assert send(client, place, "b.txt", b"new").status == 200


def test_killed_in_an_upload(kernel: Kernel, client: Client, place: str, rclone: Any, bucket: Path) -> None:
    data = os.urandom(20 * MIB)
    came = [0]

    def kill(way: str, count: int) -> None:
        came[0] += count
        if came[0] > 10 * MIB:
            rclone.kill()

    rclone.shim.on_passed = kill
    answer = send(client, place, "large.bin", data)
    assert (answer.status, answer.json["code"]) == (503, 20130)
    assert rows(kernel) == 0
    assert list(kernel.blobs.incoming.glob("*")) == []
    rclone.shim.on_passed = None
    rclone.start()
    made = send(client, place, "large.bin", data)
    assert made.status == 200
    assert client.get(f"{place}/files/{made.json['content_id']}/raw/large.bin").body == data


def test_killed_in_a_download(kernel: Kernel, client: Client, place: str, rclone: Any, bucket: Path) -> None:
    data = os.urandom(12 * MIB)
    path = f"{place}/files/{put(client, place, 'large.bin', data)}/raw/large.bin"
    came = [0]

    def kill(way: str, count: int) -> None:
        came[0] += count
        if came[0] > 3 * MIB:
            rclone.kill()

    rclone.shim.on_passed = kill
    with pytest.raises(BlobsUnavailable):  # the head is out: only the connection can say it
        client.get(path)
    rclone.shim.on_passed = None
    rclone.start()
    assert client.get(path).body == data


def test_a_connection_that_breaks_is_made_again(client: Client, place: str, rclone: Any, bucket: Path) -> None:
    data = os.urandom(3 * MIB)
    path = f"{place}/files/{put(client, place, 'a.bin', data)}/raw/a.bin"
    came = [0]

    def cut(way: str, count: int) -> None:
        came[0] += count
        if MIB < came[0] < MIB + 100_000:
            raise ConnectionResetError

    rclone.shim.on_passed = cut
    assert client.get(path).body == data


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("secret_access_key", "wrong", "refuses the bucket"),
        ("access_key_id", "nobody-at-all", "refuses the bucket"),
        ("bucket", "nowhere", "no bucket 'nowhere'"),
    ],
)
def test_what_is_set_wrong_stops_the_start(
    tmp_path: Path, rclone: Any, bucket: Path, setting: str, value: str, words: str
) -> None:
    kernel = make_kernel(tmp_path, {**rclone.settings(bucket.name), f"storage_s3__{setting}": value})
    try:
        with pytest.raises(BootError, match=words) as error:
            kernel.start()
        assert "wrong" not in str(error.value)
        blob = kernel.blobs.begin()
        blob.write(b"bytes")
        with pytest.raises(BlobsUnavailable):
            kernel.run(lambda ctx: kernel.blobs.keep(ctx, blob))
        blob.discard()
        assert rows(kernel) == 0
    finally:
        kernel.stop()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"storage_s3__bucket": ""}, "bucket is empty"),
        ({"storage_s3__allow_http": False}, "allow_http"),
        ({"storage_s3__secret_access_key": ""}, "go together"),
        ({"storage_s3__endpoint_url": "localhost"}, "no address"),
        ({"plugins__disabled": ["storage_s3"]}, "nothing offers"),
    ],
)
def test_never_another_store_than_the_one_that_is_meant(
    tmp_path: Path, rclone: Any, bucket: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(BootError, match=words):
        make_kernel(tmp_path, {**rclone.settings(bucket.name), **settings})


DIES = """
import os, signal, sys, json
from pathlib import Path
from atrio.kernel.testing.plugin import make_kernel
kernel = make_kernel(Path(sys.argv[1]), json.loads(sys.argv[2]))
blob = kernel.blobs.begin()
blob.write(b"bytes without a row")
kernel.blobs.upload(blob)
kernel.unit().__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_dies_between_bytes_and_row(tmp_path: Path, rclone: Any, bucket: Path) -> None:
    import json

    settings = rclone.settings(bucket.name)
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), json.dumps(settings)], timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert len(objects(bucket)) == 1
    kernel = make_kernel(tmp_path, settings)
    try:
        assert rows(kernel) == 0
        assert len(list(kernel.blobs.incoming.glob("*"))) == 1
        assert storage.collect(kernel, pause=0).files == 0, "it is young: its unit might still be under way"
        age(kernel, bucket)
        for path in kernel.blobs.incoming.glob("*"):
            os.utime(path, (time.time() - 200_000,) * 2)
        assert storage.collect(kernel, pause=0).files == 2
        assert objects(bucket) == []
        assert list(kernel.blobs.incoming.glob("*")) == []
    finally:
        kernel.stop()
