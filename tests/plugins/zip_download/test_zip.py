"""Folders, selections and spaces as zip files."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client
from atrio.plugins.zip_download.plan import _numbered
from tests.wire import filling

pytest.importorskip("zipstream")


def opened(answer: Answer) -> dict[str, bytes]:
    """Return what a zip file holds, having looked at every part of it."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.body)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def place(make_space: Any) -> int:
    return int(make_space())


@pytest.fixture
def put(client: Client, place: int, send_file: Any) -> Any:
    def put(name: str, data: bytes, parent: int = 0) -> int:
        made = send_file(client, f"/api/workspaces/{place}/files", name, data, fields={"parent_id": str(parent)})
        assert made.status == 200, made.body
        return int(made.json["content_id"])

    return put


def space_zip(client: Client, place: int, *ids: int, name: str = "all.zip", **options: Any) -> Answer:
    query = {"content_ids": ",".join(map(str, ids))} if ids else {}
    return client.get(f"/api/workspaces/{place}/zip/{name}", query=query, **options)


def test_a_tree(client: Client, place: int, put: Any, make_content: Any, tmp_path: Path) -> None:
    outer = make_content(place, "Outer", "folder")["content_id"]
    inner = make_content(place, "Inner", "folder", outer)["content_id"]
    make_content(place, "Empty", "folder", inner)
    big = bytes(range(256)) * 8192
    put("größe ☃.txt", b"root")
    put("big.bin", big, inner)
    put("empty.txt", b"", inner)
    note = make_content(place, "A note", parent_id=outer)["content_id"]
    path = f"/api/workspaces/{place}/html-documents/{note}"
    assert client.put(path, {"raw_content": "<p>Añb ☃</p>"}).status == 200
    gone = put("gone.txt", b"gone", inner)
    kept = put("archived.txt", b"archived", outer)
    assert client.put(f"/api/workspaces/{place}/contents/{gone}/trashed").status == 204
    assert client.put(f"/api/workspaces/{place}/contents/{kept}/archived").status == 204
    below = {
        "A note.document.html": "<p>Añb ☃</p>".encode(), "Inner/": b"", "Inner/Empty/": b"", "Inner/big.bin": big,
        "Inner/empty.txt": b"",
    }  # fmt: skip
    whole = space_zip(client, place)
    assert opened(whole) == {"größe ☃.txt": b"root", "Outer/": b"", **{f"Outer/{k}": v for k, v in below.items()}}
    one = client.get(f"/api/workspaces/{place}/folders/{outer}/zip/x.zip")
    assert opened(one) == below
    assert "attachment" in one.headers["content-disposition"]
    assert "x.zip" in one.headers["content-disposition"]
    assert one.headers["x-content-type-options"] == "nosniff"
    assert one.headers["content-security-policy"].startswith("sandbox")
    head = client.request("HEAD", f"/api/workspaces/{place}/folders/{outer}/zip/")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(one.body)), b"")
    assert "Outer.zip" in head.headers["content-disposition"]
    (tmp_path / "x.zip").write_bytes(whole.body)
    if shutil.which("unzip"):
        done = subprocess.run(
            ["unzip", "-t", str(tmp_path / "x.zip")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        assert "No errors detected" in done.stdout
    assert client.put(f"/api/workspaces/{place}/contents/{outer}/trashed").status == 204
    assert set(opened(space_zip(client, place))) == {"größe ☃.txt"}
    assert client.get(f"/api/workspaces/{place}/folders/{outer}/zip/x.zip").code == 1003


def test_a_selection(client: Client, place: int, put: Any, make_content: Any, make_space: Any) -> None:
    first, second = (make_content(place, name, "folder")["content_id"] for name in ("First", "Second"))
    one, two, three = put("a.txt", b"1", first), put("a.txt", b"2", second), put("A.TXT", b"3")
    assert opened(space_zip(client, place, one, two, three)) == {
        "a.txt": b"1",
        "a (2).txt": b"2",
        "A (3).TXT": b"3",
    }
    assert opened(space_zip(client, place, first, one)) == {"First/": b"", "First/a.txt": b"1"}
    assert opened(space_zip(client, place, three, three)) == {"A.TXT": b"3"}
    other = make_content(make_space("Beta"), "Elsewhere")["content_id"]
    for ids in ((other,), (one, other), (999_999,)):
        assert space_zip(client, place, *ids).code == 1003
    assert client.get(f"/api/workspaces/{place}/zip/x.zip", query={"content_ids": "a"}).code == 2001
    assert space_zip(client, place, *range(1, 1002)).code == 2001
    assert client.get(f"/api/workspaces/{place}/folders/{one}/zip/x.zip").code == 2031


def test_no_name_leads_out(kernel: Kernel, client: Client, place: int, put: Any, tmp_path: Path) -> None:
    labels = [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\x",
        "a\tb\x1b[31m",
        "x" * 1000,
        "é" * 1000,
        "a\u202etxt.exe",
        "C:\\x",
    ]
    ids = [put(f"plain {n}.txt", str(n).encode()) for n in range(len(labels) + 2)]
    with kernel.unit() as ctx:  # whatever a door or an import let through
        for content_id, label in zip(ids, [*labels, "..", "."], strict=True):
            extension = "" if label in ("..", ".") else ".txt"
            ctx.execute(
                text("UPDATE core_content_content SET label = :l, file_extension = :e WHERE content_id = :c"),
                {"l": label, "c": content_id, "e": extension},
            )
    found = opened(space_zip(client, place))
    assert sorted(found.values()) == sorted(str(n).encode() for n in range(len(ids)))
    for name in found:
        assert "/" not in name
        assert "\\" not in name
        assert name not in ("", ".", "..")
        assert name.isprintable()
        assert len(name.encode()) <= 255
    answer = space_zip(client, place)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        archive.extractall(tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(ids)


@pytest.mark.atrio_config(zip_download__max_entries=3, zip_download__max_bytes=10)
def test_limits(client: Client, place: int, put: Any, make_content: Any) -> None:
    folder = make_content(place, "Folder", "folder")["content_id"]
    put("a", b"12345", folder)
    put("b", b"12345", folder)
    assert len(opened(space_zip(client, place))) == 3
    extra = put("c", b"", folder)
    refused = space_zip(client, place)
    assert (refused.status, refused.code) == (413, 20150)
    assert len(opened(client.get(f"/api/workspaces/{place}/folders/{folder}/zip/"))) == 3
    assert client.put(f"/api/workspaces/{place}/contents/{extra}/trashed").status == 204
    put("d", b"1")
    assert space_zip(client, place, folder).status == 200
    assert space_zip(client, place).code == 20150


def test_rights(world: Any) -> None:
    for who, status in (("reader", 200), ("contributor", 200), ("root", 403), ("user", 400), ("stranger", 401)):
        person = world.people[who]
        for path in ("/zip/x.zip", f"/folders/{world.folder}/zip/x.zip"):
            assert person.get(world.path(path)).status == status, (who, path)


def test_an_empty_space(client: Client, place: int) -> None:
    assert opened(space_zip(client, place)) == {}


def test_a_tree_costs_the_same(kernel: Kernel, client: Client, place: int, statements: Any) -> None:
    counts = []
    for numbers in (range(10), range(10, 1000)):
        with kernel.unit() as ctx:
            folders = filling.contents(ctx, numbers, place, 1, "folder")
            for n, folder in zip(numbers, folders[:5], strict=False):
                filling.contents(ctx, [n + 5000], place, 1, "folder", folder)
        path = f"/api/workspaces/{place}/zip/x.zip"
        client.request("HEAD", path)
        with statements() as seen:
            answer = client.request("HEAD", path)
        assert answer.status == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4
    assert len(opened(space_zip(client, place))) == 1010


def test_nothing_is_open_while_bytes_flow_and_leaving_ends_it(
    kernel: Kernel, client: Client, place: int, put: Any
) -> None:
    """A client that leaves in the middle: the source is closed, and no transaction was held meanwhile."""
    import asyncio

    from atrio.plugins.zip_download import stream

    put("big.bin", b"x" * 5_000_000)
    ended: list[bool] = []
    original = stream.blocks_of

    def watched(*args: Any) -> Any:
        try:
            yield from original(*args)
            ended.append(False)
        finally:
            ended.append(True)

    async def leave() -> int:
        sent = 0
        gone = asyncio.Event()

        async def receive() -> Any:
            if not scope.pop("asked", None):
                await gone.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal sent
            sent += len(message.get("body", b""))
            if sent > 600_000:
                gone.set()
                await asyncio.sleep(30)

        import base64

        token = base64.b64encode(f"{client.login}:{client.password}".encode())
        path = f"/api/workspaces/{place}/zip/x.zip"
        scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "headers": [(b"authorization", b"Basic " + token)],
        }  # fmt: skip
        await kernel.app(scope, receive, send)
        return sent

    stream.blocks_of = watched  # type: ignore[assignment]
    try:
        sent = client.loop.run_until_complete(leave())
    finally:
        stream.blocks_of = original
    assert 600_000 < sent < 3_000_000
    assert ended == [True]


def test_thousands_of_equal_names_are_numbered_in_one_go() -> None:
    class Row:
        label, file_extension = "x" * 300, ".txt"

    names = [name for _, name in _numbered([Row() for _ in range(20_000)])]
    assert len({name.casefold() for name in names}) == 20_000
    assert all(len(name.encode()) <= 255 and name.endswith(".txt") for name in names)
    assert (names[1], names[-1][-12:]) == ("x" * 247 + " (2).txt", " (20000).txt")
