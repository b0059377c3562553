"""Care of stored bytes: what nobody needs goes, what somebody needs or may need stays, and faults are found."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel import storage
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from tests.storing import purge, put

DAY = 24 * 3600


@pytest.fixture
def place(make_space: Any) -> str:
    return f"/api/workspaces/{make_space()}"


def files(kernel: Kernel) -> list[Path]:
    return sorted(p for p in kernel.blobs.root.glob("??/*"))


def age(kernel: Kernel) -> None:
    """Let everything that is stored be two days old."""
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE kernel_blob SET created = 1"))
    for path in files(kernel):
        os.utime(path, (1, 1))


def test_what_no_row_names_goes_with_its_file(kernel: Kernel, client: Client, place: str) -> None:
    kept, gone = put(client, place, "a.txt", b"kept"), put(client, place, "b.txt", b"gone")
    twin = put(client, place, "c.txt", b"kept")
    purge(client, place, gone)
    purge(client, place, twin)
    assert storage.collect(kernel, pause=0) == storage.Collected()  # too young
    age(kernel)
    assert storage.collect(kernel, dry_run=True) == storage.Collected(1, 4, 0)
    assert len(files(kernel)) == 2
    assert storage.collect(kernel, pause=0) == storage.Collected(1, 4, 1)
    assert len(files(kernel)) == 1
    assert client.get(f"{place}/files/{kept}/raw/a.txt").body == b"kept"
    assert storage.collect(kernel, pause=0) == storage.Collected()


def test_old_revisions_and_pictures_keep_their_bytes(kernel: Kernel, client: Client, place: str) -> None:
    file = put(client, place, "a.txt", b"first")
    path = f"{place}/files/{file}/raw/a.txt"
    client.request("PUT", path, files={"files": ("a.txt", b"second", "text/plain")})
    client.put(f"{place}/contents/{file}/trashed")
    age(kernel)
    assert storage.collect(kernel, pause=0).blobs == 0
    assert {p.read_bytes() for p in files(kernel)} == {b"first", b"second"}


def test_tables_of_plugins_that_are_off_count_too(kernel: Kernel, client: Client, place: str) -> None:
    gone = put(client, place, "b.txt", b"remembered")
    purge(client, place, gone)
    age(kernel)
    with kernel.unit() as ctx:
        digest = ctx.execute(text("SELECT digest FROM kernel_blob")).scalar()
        ctx.execute(text("CREATE TABLE foreign_thing (digest VARCHAR(64), other_digest VARCHAR(64))"))
        ctx.execute(text("INSERT INTO foreign_thing VALUES (:d, NULL)"), {"d": digest})
    try:
        assert storage.collect(kernel, pause=0).blobs == 0
        with kernel.unit() as ctx:
            ctx.execute(text("UPDATE foreign_thing SET digest = NULL, other_digest = :d"), {"d": digest})
        assert storage.collect(kernel, pause=0).blobs == 1
    finally:
        with kernel.unit() as ctx:
            ctx.execute(text("DROP TABLE foreign_thing"))


def test_bytes_that_are_stored_again_are_young_again(kernel: Kernel, client: Client, place: str) -> None:
    purge(client, place, put(client, place, "a.txt", b"again"))
    age(kernel)
    file = put(client, place, "b.txt", b"again")
    purge(client, place, file)
    assert storage.collect(kernel, pause=0).blobs == 0
    age(kernel)
    assert storage.collect(kernel, pause=0).blobs == 1
    file = put(client, place, "c.txt", b"again")
    assert client.get(f"{place}/files/{file}/raw/c.txt").body == b"again"


def test_uploads_of_what_is_being_collected_lose_nothing(
    kernel: Kernel, client: Client, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes come, go and are collected at once, again and again; no age protects their row here."""
    monkeypatch.setattr(kernel.blobs, "sweep", lambda *args, **options: 0)  # it goes by the age of files
    stop = threading.Event()
    faults: list[Any] = []

    def gather() -> None:
        while not stop.is_set():
            try:
                storage.collect(kernel, keep_seconds=-DAY, pause=0)
            except Exception as error:
                faults.append(error)
                return
        kernel.db.close_thread()

    collector = threading.Thread(target=gather)
    collector.start()
    left = {}
    try:
        for n in range(40):
            file = put(client, place, f"{n}.txt", b"the same")
            if n % 4:
                purge(client, place, file)
            else:
                left[n] = file
    finally:
        stop.set()
        collector.join()
    assert faults == []
    for n, file in left.items():
        assert client.get(f"{place}/files/{file}/raw/{n}.txt").body == b"the same"
    assert list(storage.verify(kernel)) == []


def test_faults_are_found(kernel: Kernel, client: Client, place: str) -> None:
    for n in range(4):
        put(client, place, f"{n}.txt", f"bytes {n}".encode())
    assert list(storage.verify(kernel)) == []
    missing, longer, other, _ = files(kernel)
    missing.unlink()
    longer.write_bytes(b"much longer")
    other.write_bytes(b"7 bytes"[: other.stat().st_size])
    found = {(f.digest, f.what) for f in storage.verify(kernel)}
    assert found == {(missing.name, "missing"), (longer.name, "size"), (other.name, "content")}
    quick = {(f.digest, f.what) for f in storage.verify(kernel, content=False)}
    assert quick == {(missing.name, "missing"), (longer.name, "size")}


def test_commands(tmp_path: Path) -> None:
    import json
    import subprocess
    import sys

    env = {**os.environ, "ATRIO_DATA_DIR": str(tmp_path), "ATRIO_ADMIN_PASSWORD": "admin-password"}
    run = [sys.executable, "-m", "atrio.kernel.cli", "storage"]
    done = subprocess.run([*run, "verify", "--json"], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"blobs": 0, "faults": []}
    done = subprocess.run([*run, "gc", "--dry-run", "--json"], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"blobs": 0, "bytes": 0, "files": 0, "dry_run": True}
