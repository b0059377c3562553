"""The scanner itself: Debian's clamd with a signature of our own for the test string, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.live import free_port
from atrio.plugins.antivirus.clamd import ScanFailed, ping, scan
from atrio.plugins.antivirus.config import AntivirusConfig

from .conftest import EICAR

pytestmark = [
    pytest.mark.services,
    pytest.mark.atrio_config(plugins__enabled=["antivirus"]),
    pytest.mark.skipif(shutil.which("clamd") is None, reason="clamd is not installed (Debian: clamav-daemon)"),
]


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder, port = tmp_path_factory.mktemp("clamd"), free_port()
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "own.ndb").write_text(f"Own.Eicar:0:*:{EICAR.hex()}\n")
    settings = folder / "clamd.conf"
    settings.write_text(
        f"DatabaseDirectory {signatures}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
        "StreamMaxLength 1M\nSelfCheck 0\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["clamd", f"--config-file={settings}"], stdout=log, stderr=log)
    place = ("127.0.0.1", port)
    deadline = time.monotonic() + 20
    while True:
        try:
            ping(place, timeout=1)
            break
        except ScanFailed:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
    yield place
    process.terminate()
    process.wait()


def test_its_answers(clamd: tuple[str, int], tmp_path: Path) -> None:
    file = tmp_path / "x"
    for data, found in ((EICAR, True), (b"hello", False), (b"", False), (b"x" * 500_000 + EICAR, True)):
        file.write_bytes(data)
        assert ("Eicar" in (scan(clamd, file, timeout=20) or "")) == found
    file.write_bytes(b"x" * 5_000_000)
    with pytest.raises(ScanFailed):
        scan(clamd, file, timeout=20)


def test_an_upload(
    kernel: Kernel, client: Client, make_space: Any, send_file: Any, clamd: tuple[str, int]
) -> None:
    kernel.config.replace(AntivirusConfig, address=f"tcp://127.0.0.1:{clamd[1]}", max_bytes=1024**2)
    place = f"/api/workspaces/{make_space()}/files"
    refused = send_file(client, place, "bad.txt", EICAR)
    assert (refused.status, refused.code) == (422, 20160)
    assert send_file(client, place, "good.txt", b"good").status == 200
