"""The local store, and the choice of another: what each store must do, and what must never happen in silence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel import storage
from atrio.kernel.blobs import BlobStore, LocalBlobs, Stored
from atrio.kernel.errors import BlobsUnavailable, BootError, RetryWork
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel

DATA = b"some bytes"
NAME = hashlib.sha256(DATA).hexdigest()


def keep(kernel: Kernel, data: bytes = DATA) -> str:
    blob = kernel.blobs.begin()
    try:
        blob.write(data)
        kernel.blobs.upload(blob)
        return kernel.run(lambda ctx: kernel.blobs.keep(ctx, blob))
    finally:
        blob.discard()


def test_what_a_store_does(kernel: Kernel) -> None:
    store = kernel.blobs
    assert (store.remote, store.size(NAME), list(store.iterate())) == (False, None, [])
    store.check()
    assert keep(kernel) == NAME
    assert store.size(NAME) == len(DATA)
    (stored,) = store.iterate()
    assert stored == Stored(NAME, len(DATA), stored.modified)
    with store.open(NAME) as file:
        file.seek(5)
        assert file.read() == b"bytes"
    with store.local(NAME) as path:
        assert path.read_bytes() == DATA
    store.remove([NAME, NAME])
    assert store.size(NAME) is None
    assert [f.what for f in storage.verify(kernel)] == ["missing"]


def test_the_same_file_five_hundred_times(kernel: Kernel, client: Client, make_space: Any) -> None:
    path = f"/api/workspaces/{make_space()}/files"
    for n in range(500):
        made = client.request("POST", path, files={"files": (f"{n}.bin", DATA, "application/octet-stream")})
        assert made.status == 200
    assert [s.size for s in kernel.blobs.iterate()] == [len(DATA)]


def test_a_claim_left_by_another_store_gives_way(kernel: Kernel) -> None:
    """A sweep of a bucket claimed the bytes and died; meanwhile the files moved to this folder."""
    assert storage.claim(kernel, [NAME]) == [NAME]
    keep(kernel)
    assert storage.known(kernel, [NAME]) == {NAME}
    assert list(storage.verify(kernel)) == []


def test_a_claim_that_stands_refuses(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.blobs, "claim_seconds", 600)
    storage.claim(kernel, [NAME])
    with pytest.raises(BlobsUnavailable) as refused:
        keep(kernel)
    assert refused.value.headers == (("retry-after", "60"),)
    storage.unclaim(kernel, [NAME])
    assert keep(kernel) == NAME
    assert storage.claim(kernel, [NAME]) == [], "what has a row cannot be claimed"
    storage.unclaim(kernel, [NAME])
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT size FROM kernel_blob")).scalar() == len(DATA)


def test_a_plugin_offers_a_store(boot_with: Any, plugin: Any, tmp_path: Path) -> None:
    def make(kernel: Kernel) -> BlobStore:
        return LocalBlobs(tmp_path / "elsewhere", fsync=False)

    kernel = boot_with(plugin("tape", blob_store={"tape": make}), storage__blobs="tape")
    keep(kernel)
    assert (tmp_path / "elsewhere" / NAME[:2] / NAME).read_bytes() == DATA
    twins = plugin("tape", blob_store={"tape": make}), plugin("reel", blob_store={"tape": make})
    kernel = boot_with(*twins, storage__blobs="tape")
    (parked,) = [record for record in twins if not record.enabled]
    assert "'tape' is offered by" in parked.reason


def test_nothing_takes_the_place_of_a_store_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BootError, match="nothing offers storage.blobs = 'tape'"):
        make_kernel(tmp_path, {"storage__blobs": "tape"})
    monkeypatch.setattr("atrio.plugins.storage_s3.config.find_spec", lambda name: None)
    with pytest.raises(BootError, match=r"pip install 'atrio\[s3\]'"):
        make_kernel(tmp_path, {"storage__blobs": "s3"})
    make_kernel(tmp_path).stop()  # who does not want it does not miss the library


# -- short ones in memory ------------------------------------------------------------------------------------


def files(kernel: Kernel) -> list[str]:
    return sorted(str(p.relative_to(kernel.blobs.root)) for p in kernel.blobs.root.rglob("*") if p.is_file())


def hold(kernel: Kernel, data: bytes = DATA) -> Any:
    blob = kernel.blobs.begin(hold=16)
    blob.write(data[:4], data[4:])
    blob.close(fsync=True)
    return blob


def test_bytes_in_memory_reach_the_store(kernel: Kernel) -> None:
    blob = hold(kernel)
    assert (blob.held, blob.present, blob.digest, blob.size, blob.head) == (True, True, NAME, len(DATA), DATA)
    assert files(kernel) == []
    assert kernel.run(lambda ctx: kernel.blobs.keep(ctx, blob)) == NAME  # without `upload`
    blob.discard()
    assert files(kernel) == [f"{NAME[:2]}/{NAME}"]
    again = hold(kernel)
    kernel.blobs.upload(again)
    assert again.held, "equal bytes are there"
    assert kernel.run(lambda ctx: kernel.blobs.keep(ctx, again)) == NAME
    assert not again.present
    assert len(files(kernel)) == 1


def test_bytes_in_memory_are_written_where_only_a_file_without_row_lies(kernel: Kernel) -> None:
    target = kernel.blobs.root / NAME[:2] / NAME
    target.parent.mkdir(parents=True)
    target.write_bytes(b"half of it")
    blob = hold(kernel)
    kernel.blobs.upload(blob)
    assert kernel.run(lambda ctx: kernel.blobs.keep(ctx, blob)) == NAME
    assert target.read_bytes() == DATA


def test_a_unit_that_is_tried_again_keeps_bytes_from_memory(kernel: Kernel) -> None:
    blob, tries = hold(kernel), []

    def act(ctx: Any) -> str:
        name = kernel.blobs.keep(ctx, blob)
        tries.append(name)
        if len(tries) == 1:
            raise RetryWork
        return name

    assert kernel.run(act) == NAME
    with kernel.blobs.open(NAME) as file:
        assert file.read() == DATA


def test_more_bytes_than_are_held_go_to_the_file(kernel: Kernel) -> None:
    blob = kernel.blobs.begin(hold=16)
    blob.write(b"x" * 16)
    assert blob.held
    blob.write(b"y")
    assert not blob.held
    assert blob.path.read_bytes() == b"x" * 16 + b"y"
    blob.close(fsync=True)
    blob.discard()
    assert files(kernel) == []
    other = hold(kernel)
    assert other.path.read_bytes() == DATA, "who asks for the file gets one"
    other.discard()
    hold(kernel).discard()
    assert files(kernel) == []


def test_bytes_from_memory_are_on_the_disk_before_their_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and folder are synced inside or before the unit, with what was written in them."""
    kernel = make_kernel(tmp_path, {"storage__fsync": True})
    synced: list[str] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        synced.append(path.name if path.is_dir() else path.read_bytes().decode())
        fsync(handle)

    monkeypatch.setattr("os.fsync", noted)
    try:
        for upload in (True, False):
            data = b"some bytes %d" % upload
            blob = hold(kernel, data)
            if upload:
                kernel.blobs.upload(blob)

            def act(ctx: Any, blob: Any = blob) -> list[str]:
                kernel.blobs.keep(ctx, blob)
                return list(synced)

            folder = hashlib.sha256(data).hexdigest()[:2]
            assert kernel.run(act) == [data.decode(), "blobs", folder], "the new folder's name as well"
            synced.clear()
        blob = hold(kernel, b"some bytes 1")
        kernel.blobs.upload(blob)
        kernel.run(lambda ctx: kernel.blobs.keep(ctx, blob))
        assert synced == [], "they are there"
    finally:
        kernel.stop()
        kernel.app.pool.close()


# -- where files lie -----------------------------------------------------------------------------------------


def test_a_store_begun_with_two_folders_stays_so(tmp_path: Path) -> None:
    old = tmp_path / "ab" / "cd" / ("abcd" + "0" * 60)
    old.parent.mkdir(parents=True)
    old.write_bytes(b"of old")
    store = LocalBlobs(tmp_path)
    assert store.open(old.name).read() == b"of old"
    put(store)
    assert (tmp_path / NAME[:2] / NAME[2:4] / NAME).read_bytes() == DATA
    assert sorted(s.digest for s in store.iterate()) == sorted([old.name, NAME])
    os.utime(old, (0, 0))
    assert store.sweep(lambda names: set()) == 1
    assert not old.exists()


def test_a_new_store_has_one_folder(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path / "blobs")
    assert store.size(NAME) is None
    put(store)
    assert (tmp_path / "blobs" / NAME[:2] / NAME).read_bytes() == DATA
    assert [s.digest for s in LocalBlobs(tmp_path / "blobs").iterate()] == [NAME]


def put(store: LocalBlobs) -> None:
    blob = store.begin()
    blob.write(DATA)
    blob.close(fsync=True)
    store.put(blob)
    assert store.size(NAME) == len(DATA)
