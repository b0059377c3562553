"""Files are shown to a scanner before they are stored, whichever door they come through."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.config import ConfigError
from atrio.kernel.context import Context
from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel
from atrio.plugins.antivirus.clamd import ScanFailed, scan
from atrio.plugins.antivirus.config import AntivirusConfig, place

from .conftest import EICAR, Scanner

pytestmark = pytest.mark.atrio_config(plugins__enabled=["antivirus"])
PLAIN = "text/plain"


@pytest.fixture
def space(make_space: Any) -> int:
    return int(make_space(public_upload_enabled=True))


@pytest.fixture
def files(kernel: Kernel) -> Any:
    """Everything that the store holds, on its way in or kept."""

    def found() -> list[Path]:
        folders = (kernel.blobs.root, kernel.blobs.root.parent / "resumable")
        return [
            p for folder in folders for p in folder.rglob("*") if p.is_file() and not p.suffix.startswith(".db")
        ]

    return found


def test_off_without_an_address(client: Client, space: int, send_file: Any) -> None:
    assert send_file(client, f"/api/workspaces/{space}/files", "a.txt", EICAR).status == 200


def health(client: Client) -> Any:
    return client.get("/health/ready").json["plugins"]["antivirus"]


def test_forms(kernel: Kernel, client: Client, space: int, scanned: Scanner, send_file: Any, files: Any) -> None:
    place = f"/api/workspaces/{space}/files"
    made = send_file(client, place, "good.txt", b"good")
    assert made.status == 200
    before = files()
    for path, method in ((place, "POST"), (f"{place}/{made.json['content_id']}/raw/x.txt", "PUT")):
        refused = send_file(client, path, "bad.txt", EICAR, method=method)
        assert (refused.status, refused.code) == (422, 20160)
        assert "Eicar-Test" in refused.json["message"]
    assert files() == before
    assert scanned.seen == [b"good", EICAR], "a verdict is remembered"
    assert health(client)["facts"] == {"scanned": 2, "refused": 1}
    kernel.config.replace(AntivirusConfig, address="tcp://127.0.0.1:1")
    assert health(client)["failing"] == "ScanFailed"


def test_pictures_guests_and_boards(client: Client, space: int, scanned: Scanner, kernel: Kernel) -> None:
    answer = client.request("PUT", "/api/users/1/avatar/raw/x.png", files={"files": ("x.png", EICAR, "image/png")})
    assert (answer.status, answer.code) == (422, 20160)
    links = f"/api/workspaces/{space}/upload_permissions"
    (link,) = client.post(links, {"emails": ["ann@example.org"], "password": None}).json
    guest = Client(kernel.app)
    sent = guest.request(
        "POST", f"/api/public/guest-upload/{link['token']}", fields={"username": "Zoë"},
        files={"file_0": ("a.txt", b"fine", PLAIN), "file_1": ("b.txt", EICAR, PLAIN)},
    )  # fmt: skip
    guest.close()
    assert (sent.status, sent.code) == (422, 20160)
    listed = client.get(f"/api/workspaces/{space}/contents", query={"namespaces_filter": "upload"}).json
    assert listed["items"] == []


def test_resumable_uploads(client: Client, space: int, scanned: Scanner, files: Any) -> None:
    given = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    name = base64.b64encode(b"bad.txt").decode()
    announced = {**given, "Upload-Length": str(len(EICAR)), "Upload-Metadata": f"filename {name}"}
    whole = client.request("POST", f"/api/workspaces/{space}/uploads", headers=announced, body=EICAR)
    assert (whole.status, whole.code) == (422, 20160)
    assert files() == []
    begun = client.request("POST", f"/api/workspaces/{space}/uploads", headers=announced)
    path = begun.headers["location"]
    for part, offset in ((EICAR[:10], 0), (EICAR[10:], 10)):
        answer = client.request("PATCH", path, headers={**given, "Upload-Offset": str(offset)}, body=part)
    assert (answer.status, answer.code) == (422, 20160)
    assert client.request("HEAD", path, headers=given).status == 422
    assert scanned.seen == [EICAR]
    assert client.request("DELETE", path, headers=given).status == 204
    assert files() == []


@pytest.mark.parametrize("native", [True, False])
def test_the_drive(kernel: Kernel, client: Client, space: int, scanned: Scanner, native: bool) -> None:
    pytest.importorskip("wsgidav")
    headers = {} if native else {"If-None-Match": "*"}  # a condition is a thing of the library
    path = "/webdav/Alpha.space/bad.txt"
    assert client.request("PUT", path, body=EICAR, headers=headers).status == 422
    assert client.get(path).status == 404
    assert client.request("PUT", path, body=b"good").status == 201
    assert client.request("PUT", path, body=EICAR).status == 422
    assert client.get(path).body == b"good"


def test_the_command_line(kernel: Kernel, client: Client, scanned: Scanner, tmp_path: Path) -> None:
    from atrio.plugins.core_content.transfer import import_tree, open_transfer

    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.txt").write_bytes(EICAR)
    (folder / "good.txt").write_bytes(b"good")
    report = import_tree(open_transfer(kernel, "Docs", None, create=True), folder)
    assert report.created == 1
    (problem,) = report.problems
    assert "FileRefused" in problem


def test_no_door_can_be_forgotten(kernel: Kernel, scanned: Scanner) -> None:
    """What nobody showed to the plugins is shown to them when it is kept."""
    from atrio.kernel.errors import FileRefused

    def keep(ctx: Context) -> None:
        blob = kernel.blobs.begin()
        blob.write(EICAR)
        try:
            kernel.blobs.keep(ctx, blob)
        finally:
            blob.discard()

    with pytest.raises(FileRefused):
        kernel.run(keep)


def test_no_unit_is_open_while_it_is_looked_at(
    kernel: Kernel, client: Client, space: int, scanned: Scanner, send_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atrio.plugins.antivirus import services

    written: list[int] = []

    def look(*args: Any, **options: Any) -> None:
        other = Client(kernel.app, client.login, client.password)  # a writer: it would wait for an open unit
        answer = other.post(f"/api/workspaces/{space}/contents", {"label": "meanwhile", "content_type": "thread"})
        other.close()
        written.append(answer.status)

    monkeypatch.setattr(services, "scan", look)
    import threading

    result: list[int] = []
    place = f"/api/workspaces/{space}/files"
    thread = threading.Thread(target=lambda: result.append(send_file(client, place, "a.txt", b"x").status))
    thread.start()
    thread.join(20)
    assert (written, result) == ([200], [200])


@pytest.mark.parametrize("policy", ["refuse", "accept"])
def test_a_scanner_that_is_away_slow_or_strange(
    kernel: Kernel, client: Client, space: int, scanned: Scanner, send_file: Any, policy: str
) -> None:
    def send(number: int) -> Any:
        return send_file(
            client, f"/api/workspaces/{space}/files", f"{policy}{number}.txt", f"{policy}{number}".encode()
        )

    def judge(answer: Any) -> None:
        if policy == "accept":
            assert answer.status == 200
        else:
            assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, 20161, "60")

    kernel.config.replace(AntivirusConfig, when_unavailable=policy, timeout=0.3)
    scanned.answer = b"INSTREAM size limit exceeded. ERROR\0"
    judge(send(1))
    scanned.answer = None
    scanned.silent.set()
    judge(send(2))
    scanned.silent.clear()
    assert send(2 if policy == "refuse" else 3).status == 200, "a failure is not remembered"
    kernel.config.replace(AntivirusConfig, address="tcp://127.0.0.1:1")
    judge(send(4))
    kernel.config.replace(AntivirusConfig, address="unix:/nowhere/clamd.ctl")
    judge(send(5))


@pytest.mark.parametrize("policy", ["refuse", "accept"])
def test_large_files(
    kernel: Kernel, client: Client, space: int, scanned: Scanner, send_file: Any, policy: str
) -> None:
    kernel.config.replace(AntivirusConfig, max_bytes=100, when_too_large=policy)
    answer = send_file(client, f"/api/workspaces/{space}/files", "a.txt", b"x" * 101)
    assert answer.status == (200 if policy == "accept" else 422)
    assert scanned.seen == []
    assert send_file(client, f"/api/workspaces/{space}/files", "b.txt", b"x" * 100).status == 200
    assert scanned.seen == [b"x" * 100]


def test_the_verdict_is_forgotten(
    kernel: Kernel, client: Client, space: int, scanned: Scanner, send_file: Any, clock: Any
) -> None:
    for minutes, seen in ((0, 1), (9, 1), (2, 2)):
        clock.move(minutes * 60)
        assert send_file(client, f"/api/workspaces/{space}/files", f"{minutes}.txt", b"same").status == 200
        assert len(scanned.seen) == seen


def test_a_file_of_many_blocks(scanned: Scanner, tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(b"x" * 1_000_000 + EICAR)
    assert scan(place(scanned.address), file, timeout=10) == "Eicar-Test"
    file.write_bytes(b"")
    assert scan(place(scanned.address), file, timeout=10) is None
    scanned.answer = b"\xff" * 10_000
    with pytest.raises(ScanFailed):
        scan(place(scanned.address), file, timeout=10)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:3310", "tcp://host", "tcp://:3310", "tcp://host:0", "tcp://host:x", "unix:relative", "http://x:1"],
)
def test_addresses(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither"):
        place(address)
    with pytest.raises((BootError, ConfigError), match="antivirus"):
        make_kernel(tmp_path, {"plugins__enabled": ["antivirus"], "antivirus__address": address})


def test_good_addresses() -> None:
    assert place("tcp://[::1]:3310") == ("::1", 3310)
    assert place("tcp://clamd:3310") == ("clamd", 3310)
    assert place("unix:/run/clamav/clamd.ctl") == Path("/run/clamav/clamd.ctl")
    assert place("unix:///run/clamd.ctl") == Path("/run/clamd.ctl")
