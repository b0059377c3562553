"""Files in a bucket: through every door, once for equal bytes, and safe from the sweep while somebody needs them."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel import storage
from atrio.kernel.blobs import DOOMED, LocalBlobs
from atrio.kernel.errors import BlobsUnavailable
from atrio.kernel.host import Kernel
from atrio.kernel.stores import open_store
from atrio.kernel.testing.client import Client
from tests.storing import purge, put

pytestmark = pytest.mark.services
MIB = 1024 * 1024
DAY = 24 * 3600


@pytest.fixture
def place(make_space: Any) -> str:
    return f"/api/workspaces/{make_space()}"


def objects(bucket: Path) -> list[Path]:
    return sorted(p for p in (bucket / "files" / "of-atrio").glob("??/??/*"))


def age(kernel: Kernel, bucket: Path) -> None:
    """Let everything that is stored be two days old."""
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE kernel_blob SET created = 1"))
    for path in objects(bucket):
        os.utime(path, (time.time() - 2 * DAY,) * 2)


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_file_goes_there_and_comes_back(kernel: Kernel, client: Client, place: str, bucket: Path) -> None:
    data = os.urandom(3 * MIB + 17)
    file = put(client, place, "a.bin", data)
    (stored,) = objects(bucket)
    assert stored.name == name_of(data)
    assert stored.read_bytes() == data
    path = f"{place}/files/{file}/raw/a.bin"
    assert client.get(path).body == data
    for first, last in ((0, 0), (5, 9), (600_000, 2_000_000), (3 * MIB, 3 * MIB + 16)):
        part = client.request("GET", path, headers={"range": f"bytes={first}-{last}"})
        assert (part.status, part.body) == (206, data[first : last + 1])
    several = client.request("GET", path, headers={"range": "bytes=0-3, 2000000-2000003"})
    assert several.status == 206
    assert data[:4] in several.body
    assert data[2_000_000:2_000_004] in several.body
    assert client.request("HEAD", path).status == 200
    assert list(kernel.blobs.incoming.glob("*")) == []
    assert list(storage.verify(kernel)) == []


def test_no_bytes_at_all(kernel: Kernel, client: Client, place: str) -> None:
    file = put(client, place, "empty.bin", b"")
    assert client.get(f"{place}/files/{file}/raw/empty.bin").body == b""
    with kernel.blobs.open(name_of(b"")) as opened:
        assert opened.read() == b""
    assert list(storage.verify(kernel)) == []


def test_large_files_go_in_parts(client: Client, place: str, bucket: Path, rclone: Any) -> None:
    data = os.urandom(20 * MIB)
    file = put(client, place, "large.bin", data)
    assert sum("partNumber" in line for line in rclone.shim.seen) == 3
    assert client.get(f"{place}/files/{file}/raw/large.bin").body == data
    assert objects(bucket)[0].stat().st_size == len(data)


def test_equal_bytes_are_sent_and_stored_once(client: Client, place: str, bucket: Path, rclone: Any) -> None:
    for n in range(50):
        put(client, place, f"{n}.txt", b"the same")
    assert len(objects(bucket)) == 1
    assert rclone.shim.objects("PUT") == 1


def test_bytes_travel_while_no_unit_writes(
    kernel: Kernel, client: Client, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants to write while a blob is on its way can."""
    wrote: list[bool] = []
    send = kernel.blobs.put

    def sent(blob: Any) -> None:
        def other() -> None:
            with kernel.unit() as ctx:
                ctx.execute(text("UPDATE kernel_blob SET created = created"))
            wrote.append(True)
            kernel.db.close_thread()

        writer = threading.Thread(target=other)
        writer.start()
        writer.join(5)
        send(blob)

    monkeypatch.setattr(kernel.blobs, "put", sent)
    file = put(client, place, "a.txt", b"first")
    client.request("PUT", f"{place}/files/{file}/raw/a.txt", files={"files": ("a.txt", b"second", "text/plain")})
    assert client.request("PUT", "/webdav/Alpha.space/new.txt", body=b"third").status == 201
    assert client.request("PUT", "/webdav/Alpha.space/a.txt", body=b"fourth").status == 204
    assert len(wrote) == 4


def test_pictures_and_the_drive(client: Client, place: str, bucket: Path) -> None:
    import io

    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(drawn, "PNG")
    path = "/api/users/1/avatar/raw/a.png"
    assert client.request("PUT", path, files={"files": ("a.png", drawn.getvalue(), "image/png")}).status == 204
    assert client.get(path).body[:4] == b"\x89PNG"
    assert client.get("/api/users/1/avatar/preview/jpg/64x64/a.jpg").body[:2] == b"\xff\xd8"
    assert len(objects(bucket)) == 1, "the picture as it was sent is not kept"
    assert client.request("PUT", "/webdav/Alpha.space/d.txt", body=b"on the drive").status == 201
    assert client.get("/webdav/Alpha.space/d.txt").body == b"on the drive"
    part = client.request("GET", "/webdav/Alpha.space/d.txt", headers={"range": "bytes=3-5", "if-match": "*"})
    assert part.body == b"the"
    assert (
        client.request(
            "COPY", "/webdav/Alpha.space/d.txt", headers={"destination": "/webdav/Alpha.space/e.txt"}
        ).status
        == 201
    )
    assert client.get("/webdav/Alpha.space/e.txt").body == b"on the drive"


def test_previews(kernel: Kernel, client: Client, place: str, bucket: Path, rclone: Any) -> None:
    import io

    from PIL import Image

    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(drawn, "PNG")
    picture = put(client, place, "p.png", drawn.getvalue())
    listing = put(client, place, "code.py", b"print('words')\n" * 20)
    small = client.get(f"{place}/files/{picture}/preview/jpg/64x64/p.jpg")
    assert (small.status, Image.open(io.BytesIO(small.body)).size) == (200, (64, 48))
    assert client.get(f"{place}/files/{listing}/preview/pdf/full/c.pdf").body[:5] == b"%PDF-"
    rclone.kill()
    assert client.get(f"{place}/files/{picture}/preview/jpg/64x64/p.jpg").body == small.body, "it is kept here"
    lent = client.get(f"{place}/files/{picture}/preview/jpg/32x32/p.jpg")
    assert lent.status == 200, "a copy of the picture is in the cache of this machine"
    for copy in kernel.blobs.cache.folder.glob("*"):  # type: ignore[attr-defined]
        copy.unlink()
    away = client.get(f"{place}/files/{picture}/preview/jpg/24x24/p.jpg")
    assert (away.status, away.code) == (503, 20130)
    rclone.start()
    assert client.get(f"{place}/files/{picture}/preview/jpg/16x16/p.jpg").status == 200


def test_uploads_in_pieces_and_archives(
    kernel: Kernel, client: Client, make_space: Any, bucket: Path, rclone: Any
) -> None:
    import io
    import zipfile

    from tests.plugins.resumable.conftest import Tus

    data = os.urandom(MIB)
    tus = Tus(kernel, client, make_space())
    path = tus.begin(len(data), filename="pieces.bin")
    assert tus.patch(path, 0, data[:1000]).status == 204
    assert objects(bucket) == []
    rclone.kill()
    assert tus.patch(path, 1000, data[1000:]).status == 503
    rclone.start()
    done = tus.head(path)
    assert done.headers["upload-offset"] == str(len(data)), "what came stays, and is stored now"
    content = int(done.headers["atrio-content-id"])
    assert [p.name for p in objects(bucket)] == [name_of(data)]
    packed = client.get(f"/api/workspaces/{tus.space}/zip/x.zip", query={"content_ids": str(content)})
    with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
        assert archive.read("pieces.bin") == data


def test_a_file_of_this_machine_for_those_who_need_one(
    kernel: Kernel, client: Client, place: str, rclone: Any
) -> None:
    put(client, place, "a.txt", b"needed here")
    digest = name_of(b"needed here")
    with kernel.blobs.local(digest) as path:
        assert path.read_bytes() == b"needed here"
        kernel.blobs.cache.limit = 0  # type: ignore[attr-defined]
        kernel.blobs.cache.trim()  # type: ignore[attr-defined]
        assert path.read_bytes() == b"needed here", "what is lent stays"
    assert not path.exists()
    kernel.blobs.cache.limit = 20  # type: ignore[attr-defined]
    with kernel.blobs.local(digest):
        pass
    rclone.shim.seen.clear()
    with kernel.blobs.local(digest) as path:
        assert path.read_bytes() == b"needed here"
    assert rclone.shim.seen == []
    put(client, place, "b.txt", b"needed as well")
    with kernel.blobs.local(name_of(b"needed as well")):
        pass
    assert [p.name for p in kernel.blobs.cache.folder.glob("*")] == [name_of(b"needed as well")]  # type: ignore[attr-defined]


def test_other_bytes_than_their_name_says_are_not_lent(
    kernel: Kernel, client: Client, place: str, bucket: Path
) -> None:
    put(client, place, "a.txt", b"these bytes")
    kernel.blobs.cache.limit = 0  # type: ignore[attr-defined]
    kernel.blobs.cache.trim()  # type: ignore[attr-defined]
    objects(bucket)[0].write_bytes(b"other bytes")
    with pytest.raises(BlobsUnavailable), kernel.blobs.local(name_of(b"these bytes")):
        pass
    assert [f.what for f in storage.verify(kernel)] == ["content"]
    assert list(storage.verify(kernel, content=False)) == []
    objects(bucket)[0].unlink()
    assert [f.what for f in storage.verify(kernel, content=False)] == ["missing"]
    put(client, place, "b.txt", b"these bytes")
    assert list(storage.verify(kernel)) == [], "bytes that were lost come back with the next upload of them"


# -- deletion ----------------------------------------------------------------------------------------------


def test_what_no_row_names_goes(kernel: Kernel, client: Client, place: str, bucket: Path) -> None:
    kept, gone = put(client, place, "a.txt", b"kept"), put(client, place, "b.txt", b"gone")
    purge(client, place, gone)
    assert storage.collect(kernel, pause=0) == storage.Collected()  # too young
    age(kernel, bucket)
    assert storage.collect(kernel, pause=0) == storage.Collected(1, 4, 1)
    assert [p.name for p in objects(bucket)] == [name_of(b"kept")]
    assert client.get(f"{place}/files/{kept}/raw/a.txt").body == b"kept"
    assert storage.collect(kernel, dry_run=True, keep_seconds=-DAY) == storage.Collected(), "a claim is no blob"


def test_garbage_of_a_unit_that_failed_goes(kernel: Kernel, client: Client, place: str, bucket: Path) -> None:
    put(client, place, "a.txt", b"first")
    refused = client.request("POST", f"{place}/files", files={"files": ("a.txt", b"same name", "text/plain")})
    assert refused.status == 400
    assert len(objects(bucket)) == 2
    age(kernel, bucket)
    kernel.blobs.sweep(lambda names: storage.known(kernel, names))
    assert [p.name for p in objects(bucket)] == [name_of(b"first")]


def test_what_is_being_deleted_cannot_be_kept(
    kernel: Kernel, client: Client, place: str, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal bytes come at the worst moments of a sweep."""
    purge(client, place, put(client, place, "a.txt", b"again"))
    age(kernel, bucket)
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM kernel_blob"))
    store: Any = kernel.blobs
    head, remove = store.objects.head, store.remove
    answers: list[Any] = []

    def upload() -> Any:
        return client.request("POST", f"{place}/files", files={"files": ("b.txt", b"again", "text/plain")})

    def head_and_upload(key: str) -> Any:
        monkeypatch.setattr(store.objects, "head", head)
        answers.append(upload())  # after the claim, before the sweep looks how old it is
        return head(key)

    def remove_and_upload(digests: list[str]) -> None:
        answers.append(upload())  # sent before it is deleted
        remove(digests)

    monkeypatch.setattr(store.objects, "head", head_and_upload)
    assert store.sweep(lambda names: storage.known(kernel, names)) == 0, "it is young again"
    assert (answers[-1].status, answers[-1].json["code"]) == (503, 20130)
    assert answers[-1].headers["retry-after"] == "60"
    age(kernel, bucket)
    monkeypatch.setattr(store, "remove", remove_and_upload)
    assert store.sweep(lambda names: storage.known(kernel, names)) == 1
    assert answers[-1].status == 503
    assert objects(bucket) == []
    assert upload().status == 503, "what was sent before the deletion may still want its row"
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE kernel_blob SET created = 1"))
    made = upload()
    assert made.status == 200
    assert client.get(f"{place}/files/{made.json['content_id']}/raw/b.txt").body == b"again"
    with kernel.unit(writes=False) as ctx:
        assert [r.size for r in ctx.execute(text("SELECT size FROM kernel_blob"))] == [5]


def test_claims_of_a_sweep_that_died_are_given_up(
    kernel: Kernel, client: Client, place: str, bucket: Path
) -> None:
    assert storage.claim(kernel, [name_of(b"x")]) == [name_of(b"x")]
    assert storage.claim(kernel, [name_of(b"x")]) == []
    assert storage.known(kernel, [name_of(b"x")]) == set()
    assert list(storage.verify(kernel)) == []
    kernel.blobs.sweep(lambda names: storage.known(kernel, names))
    with kernel.unit() as ctx:
        assert ctx.execute(text("SELECT size FROM kernel_blob")).scalar() == DOOMED
        ctx.execute(text("UPDATE kernel_blob SET created = 1"))
    kernel.blobs.sweep(lambda names: storage.known(kernel, names))
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT count(*) FROM kernel_blob")).scalar() == 0


def test_a_row_that_goes_between_sending_and_keeping(
    kernel: Kernel, client: Client, place: str, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes had a row when they came, so they were not sent; then it was collected, and they with it."""
    purge(client, place, put(client, place, "a.txt", b"again"))
    upload = kernel.blobs.upload

    def and_collect(blob: Any, **options: Any) -> None:
        upload(blob, **options)
        age(kernel, bucket)
        assert storage.collect(kernel, pause=0).files == 1
        with kernel.unit() as ctx:
            ctx.execute(text("DELETE FROM kernel_blob"))  # long after

    monkeypatch.setattr(kernel.blobs, "upload", and_collect)
    file = put(client, place, "b.txt", b"again")
    assert client.get(f"{place}/files/{file}/raw/b.txt").body == b"again"


# -- moving ------------------------------------------------------------------------------------------------


@pytest.mark.atrio_config(storage__blobs="local")
def test_migration_there_and_back(kernel: Kernel, client: Client, place: str, bucket: Path) -> None:
    local: Any = kernel.blobs
    assert isinstance(local, LocalBlobs)
    for n in range(12):
        put(client, place, f"{n}.txt", f"bytes {n}".encode())
    remote = open_store(kernel, "s3")
    assert storage.migrate(kernel, local, remote, dry_run=True).copied == 12
    assert objects(bucket) == []
    lost, broken = local.path(name_of(b"bytes 3")), local.path(name_of(b"bytes 4"))
    lost.rename(lost.with_name("aside"))
    broken.write_bytes(b"bytes X")
    done = storage.migrate(kernel, local, remote)
    assert (done.copied, done.present, done.size) == (10, 0, 72)
    assert {(f.digest, f.what) for f in done.faults} == {(lost.name, "missing"), (broken.name, "content")}
    lost.with_name("aside").rename(lost)
    broken.write_bytes(b"bytes 4")
    done = storage.migrate(kernel, local, remote)
    assert (done.copied, done.present, done.faults) == (2, 10, [])
    assert list(storage.verify(kernel, remote)) == []

    kernel.blobs = remote
    put(client, place, "later.txt", b"only there")
    assert storage.clear(kernel, local, dry_run=True) == (12, 0)
    objects(bucket)[0].unlink()
    assert storage.clear(kernel, local) == (11, 1)
    done = storage.migrate(kernel, remote, local)
    assert (done.copied, done.present, len(done.faults)) == (12, 1, 0), "the row of what the bucket lost is there"
    assert list(storage.verify(kernel, local)) == []
    assert client.get(f"{place}/files").status in (200, 404, 405)


def test_commands(tmp_path: Path, bucket: Path, rclone: Any) -> None:
    import json
    import subprocess
    import sys

    env = {
        **os.environ, "ATRIO_DATA_DIR": str(tmp_path / "data"), "ATRIO_ADMIN_PASSWORD": "admin-password",
        **{f"ATRIO_{k.upper()}": str(v) for k, v in rclone.settings(bucket.name).items()},
    }  # fmt: skip
    env["ATRIO_STORAGE__BLOBS"] = "local"

    def run(*words: str, code: int = 0, **more: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "atrio.kernel.cli", "storage", *words], env={**env, **more},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr

    moved = run("migrate", "--to", "s3", "--json")
    assert moved == {
        "from": "local", "to": "s3", "copied": 0, "bytes": 0, "present": 0, "faults": [], "dry_run": False
    }  # fmt: skip
    there = {"ATRIO_STORAGE__BLOBS": "s3"}
    assert run("clear", "local", "--json", **there) == {"store": "local", "blobs": 0, "kept": 0, "dry_run": False}
    assert run("verify", "--store", "s3", "--json") == {"blobs": 0, "faults": []}
    assert "store in use" in run("clear", "local", code=2)
    assert "to itself" in run("migrate", "--to", "local", code=2)
    assert "nothing offers" in run("migrate", "--to", "tape", code=1)
    assert "no bucket" in run("gc", code=1, **there, ATRIO_STORAGE_S3__BUCKET="elsewhere")
