"""Uploads and downloads: names, revisions, conditions, ranges, quotas, hostile bytes, lost clients."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client, encode_form

Send = Callable[..., Any]


@pytest.fixture
def space(make_space: Any) -> str:
    """The path of a space."""
    return f"/api/workspaces/{make_space()}"


def incoming(kernel: Kernel) -> list[Path]:
    return list(kernel.blobs.incoming.glob("*"))


def rows(kernel: Kernel, table: str) -> int:
    with kernel.unit(writes=False) as ctx:
        return int(ctx.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 1_000_003])
def test_bytes_come_back(kernel: Kernel, client: Client, space: str, send_file: Send, size: int) -> None:
    data = os.urandom(size)
    made = send_file(client, f"{space}/files", "some.bin", data, media="application/octet-stream")
    assert made.status == 200, made.body
    content = made.json["content_id"]
    raw = client.get(f"{space}/files/{content}/raw/some.bin")
    assert (raw.status, raw.body) == (200, data)
    assert raw.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    assert raw.headers["content-length"] == str(size)
    assert client.get(f"{space}/files/{content}").json["size"] == size
    assert incoming(kernel) == []


@pytest.mark.parametrize(
    ("name", "label", "extension", "shown"),
    [
        ("a.txt", "a", ".txt", "a.txt"),
        (".bashrc", ".bashrc", "", ".bashrc"),
        ("a.tar.gz", "a.tar", ".gz", "a.tar.gz"),
        ("../../etc/passwd", "../../etc/passwd", "", "..⧸..⧸etc⧸passwd"),
        ("a\\b.doc", "a\\b", ".doc", "a⧹b.doc"),
        ("C:\\x.doc", "x", ".doc", "x.doc"),  # old browsers sent the whole path
        ("é 日本 😀.txt", "é 日本 😀", ".txt", "é 日本 😀.txt"),
        ("no extension", "no extension", "", "no extension"),
    ],
)
def test_names(
    client: Client, space: str, send_file: Send, name: str, label: str, extension: str, shown: str
) -> None:
    made = send_file(client, f"{space}/files", name).json
    assert (made["label"], made["file_extension"], made["filename"]) == (label, extension, shown)
    raw = client.get(f"{space}/files/{made['content_id']}/raw/")
    assert raw.headers["content-disposition"].endswith(f"filename*=UTF-8''{quote(shown, safe='')};")
    assert send_file(client, f"{space}/files", name).code == 3002


def test_one_name_in_two_forms_is_one_name(client: Client, space: str, send_file: Send) -> None:
    assert send_file(client, f"{space}/files", "\u00e9.txt").status == 200
    assert send_file(client, f"{space}/files", "e\u0301.txt").code == 3002
    assert send_file(client, f"{space}/files", "\u00c9.txt").status == 200


@pytest.mark.parametrize("name", ["", "..", ".", "x" * 1025])
def test_names_that_are_none(kernel: Kernel, client: Client, space: str, send_file: Send, name: str) -> None:
    assert send_file(client, f"{space}/files", name).code == 2005
    assert rows(kernel, "core_content_content") == 0
    assert incoming(kernel) == []


def test_the_parent(client: Client, space: str, send_file: Send, make_content: Any) -> None:
    number = int(space.rpartition("/")[2])
    folder = make_content(number, "f", "folder")["content_id"]
    made = send_file(client, f"{space}/files", fields={"parent_id": str(folder)})
    assert made.json["parent_id"] == folder
    assert send_file(client, f"{space}/files", fields={"parent_id": "0"}).json["parent_id"] is None
    assert send_file(client, f"{space}/files", fields={"parent_id": "999"}).code == 1004
    types = {"sub_content_types": ["folder"]}
    assert client.put(f"{space}/folders/{folder}", types).status == 200
    assert send_file(client, f"{space}/files", "b.txt", fields={"parent_id": str(folder)}).code == 2038


def test_new_bytes_are_a_revision(
    kernel: Kernel, client: Client, space: str, send_file: Send, events: Any
) -> None:
    made = send_file(client, f"{space}/files", "a.txt", b"one").json
    path = f"{space}/files/{made['content_id']}"
    changed = send_file(client, f"{path}/raw/ignored", "b.md", b"two", method="PUT")
    assert (changed.status, changed.body) == (204, b"")
    now = client.get(path).json
    assert (now["filename"], now["mimetype"], now["size"], now["version_number"]) == (
        "b.md",
        "text/markdown",
        3,
        2,
    )
    listed = client.get(f"{path}/revisions").json["items"]
    assert [(r["revision_type"], r["filename"], r["is_editable"]) for r in listed] == [
        ("creation", "a.txt", False), ("revision", "b.md", True)
    ]  # fmt: skip
    old = client.get(f"{path}/revisions/{listed[0]['revision_id']}/raw/")
    assert old.body == b"one"
    assert f"a_r{listed[0]['revision_id']}.txt" in old.headers["content-disposition"]
    assert [e.name for e in events] == ["content.created", "content.modified"]
    assert rows(kernel, "kernel_blob") == 2


def test_a_revision_of_another_content(client: Client, space: str, send_file: Send) -> None:
    first = send_file(client, f"{space}/files", "a.txt").json
    second = send_file(client, f"{space}/files", "b.txt").json
    answer = client.get(f"{space}/files/{first['content_id']}/revisions/{second['current_revision_id']}/raw/x")
    assert (answer.status, answer.code) == (400, None)


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)), ("bytes=5-", 206, slice(5, None)), ("bytes=-4", 206, slice(-4, None)),
        ("bytes=0-99999", 206, slice(0, None)), ("bytes=1000-", 416, None), ("bytes=0-1,3-4", 206, slice(0, 5)),
        ("lines=1-2", 200, slice(0, None)), ("bytes=9-2", 200, slice(0, None)),
    ],
)  # fmt: skip
def test_ranges(client: Client, space: str, send_file: Send, header: str, status: int, part: slice | None) -> None:
    data = b"0123456789"
    content = send_file(client, f"{space}/files", "a.txt", data).json["content_id"]
    answer = client.get(f"{space}/files/{content}/raw/a.txt", headers={"range": header})
    assert answer.status == status
    if part is not None:
        assert answer.body == data[part]
    elif status == 416:
        assert answer.headers["content-range"] == "bytes */10"


def test_several_ranges(client: Client, space: str, send_file: Send) -> None:
    data = random.Random(1).randbytes(2_000_000)  # more than one block
    content = send_file(client, f"{space}/files", "a.bin", data).json["content_id"]
    answer = client.get(
        f"{space}/files/{content}/raw/a.bin", headers={"range": "bytes=1900000-,0-9,100000-1500000"}
    )
    assert answer.status == 206
    assert int(answer.headers["content-length"]) == len(answer.body)
    whole = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.body
    parts = message_from_bytes(whole, policy=HTTP).get_payload()
    assert [p["content-range"] for p in parts] == [
        "bytes 1900000-1999999/2000000", "bytes 0-9/2000000", "bytes 100000-1500000/2000000",
    ]  # fmt: skip
    assert parts[0]["content-type"] == "application/octet-stream"
    for start, end in ((1_900_000, 2_000_000), (0, 10), (100_000, 1_500_001)):
        assert b"\r\n\r\n" + data[start:end] + b"\r\n--" in answer.body


def test_conditions(client: Client, space: str, send_file: Send) -> None:
    content = send_file(client, f"{space}/files").json["content_id"]
    path = f"{space}/files/{content}/raw/a.txt"
    first = client.get(path)
    for headers in (
        {"if-none-match": first.headers["etag"]}, {"if-none-match": f'"x", {first.headers["etag"]}'},
        {"if-modified-since": first.headers["last-modified"]},
    ):  # fmt: skip
        assert client.get(path, headers=headers).status == 304
    assert client.get(path, headers={"if-none-match": '"other"'}).status == 200
    half = {"range": "bytes=0-1", "if-range": '"other"'}
    assert client.get(path, headers=half).status == 200
    assert client.get(path, headers=half | {"if-range": first.headers["etag"]}).status == 206
    head = client.request("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "5")


@pytest.mark.parametrize(
    ("name", "media", "data"),
    [
        ("evil.html", "text/html", b"<script>alert(1)</script>"),
        ("evil.xhtml", "application/xhtml+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("evil.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("evil.js", "text/javascript", b"alert(1)"),
        ("evil.xml", "text/xml", b"<x/>"),
    ],
)
def test_hostile_bytes_leave_safely_through_every_route(
    kernel: Kernel, client: Client, space: str, send_file: Send, name: str, media: str, data: bytes
) -> None:
    """Every route that answers bytes is called: a new one without the helper fails here."""
    made = send_file(client, f"{space}/files", name, data, media=media).json
    values = {
        "workspace_id": space.rpartition("/")[2], "content_id": str(made["content_id"]),
        "revision_id": str(made["current_revision_id"]), "filename": name,
    }  # fmt: skip
    routes = [
        r for _, r in kernel.router.routes
        if r.answer.shape == "bytes" and r.method == "GET" and "{content_id}" in r.path and "/raw/" in r.path
    ]  # fmt: skip
    assert len(routes) >= 2
    for route in routes:
        path = route.openapi_path().format(**values)
        for query in ("", "?force_download=1"):
            answer = client.get(path + query)
            assert (answer.status, answer.body) == (200, data), path
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind not in ("text/html", "application/xhtml+xml", "text/javascript")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
            verb = answer.headers["content-disposition"].partition(";")[0]
            assert verb == ("attachment" if query else "inline")


def test_a_picture_needs_no_sandbox(client: Client, space: str, send_file: Send) -> None:
    content = send_file(client, f"{space}/files", "a.png", b"\x89PNG", media="image/png").json["content_id"]
    answer = client.get(f"{space}/files/{content}/raw/a.png")
    assert answer.headers["content-type"] == "image/png"
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize("cut", [0, 30, 150, 70_000, 200_000])
def test_a_lost_client_leaves_nothing(kernel: Kernel, client: Client, space: str, events: Any, cut: int) -> None:
    body, media = encode_form({}, {"files": ("a.bin", os.urandom(300_000), "application/octet-stream")})
    answer = client.request("POST", f"{space}/files", body=body, headers={"content-type": media}, cut_after=cut)
    assert answer.status == 0
    assert incoming(kernel) == []
    assert rows(kernel, "core_content_content") == rows(kernel, "kernel_blob") == 0
    assert events == []


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"", "multipart/form-data; boundary=x", 20007),
        (b"no form at all", "multipart/form-data; boundary=x", 20007),
        (b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nabc', "multipart/form-data; boundary=x", 20007),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 2005),
        (b"{}", "application/json", 2005),
        (b"hello", "text/plain", 2005),
        (b"x", "multipart/form-data", 2005),
    ],
)  # fmt: skip
def test_forms_that_are_none(
    kernel: Kernel, client: Client, space: str, body: bytes, media: str, code: int
) -> None:
    answer = client.request("POST", f"{space}/files", body=body, headers={"content-type": media})
    assert (answer.status, answer.code) == (400, code)
    assert incoming(kernel) == []


def test_a_length_that_is_wrong(kernel: Kernel, client: Client, space: str) -> None:
    body, media = encode_form({}, {"files": ("a.bin", b"x" * 1000, "text/plain")})
    answer = client.request(
        "POST", f"{space}/files", body=body, headers={"content-type": media}, announce=len(body) + 5
    )
    assert (answer.status, answer.code) == (400, 20007)
    assert incoming(kernel) == []


@pytest.mark.atrio_config(core_content__max_file_size=1000)
@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large(
    kernel: Kernel, client: Client, space: str, send_file: Send, announced: bool
) -> None:
    assert send_file(client, f"{space}/files", "fits", b"x" * 1000).status == 200
    headers = {} if announced else {"content-length": ""}
    answer = send_file(client, f"{space}/files", "large", b"x" * 200_000, headers=headers)
    assert (answer.status, answer.code) == (400, 6002)
    assert incoming(kernel) == []


@pytest.mark.atrio_config(core_content__space_size=100)
def test_a_space_that_is_full(client: Client, space: str, send_file: Send) -> None:
    first = send_file(client, f"{space}/files", "a", b"x" * 60).json
    assert send_file(client, f"{space}/files", "b", b"x" * 41).code == 6003
    assert (
        send_file(client, f"{space}/files/{first['content_id']}/raw/a", "a", b"y" * 41, method="PUT").code == 6003
    )
    assert send_file(client, f"{space}/files", "b", b"x" * 40).status == 200


def test_an_owner_whose_quota_is_used(kernel: Kernel, client: Client, space: str, send_file: Send) -> None:
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET allowed_space = 100 WHERE user_id = 1"))
    assert send_file(client, f"{space}/files", "a", b"x" * 100).status == 200
    assert send_file(client, f"{space}/files", "b", b"x").code == 6004
    assert send_file(client, f"{space}/files", "c", b"").status == 200
    assert rows(kernel, "core_content_content") == 2


def test_equal_bytes_are_stored_once(kernel: Kernel, client: Client, space: str, send_file: Send) -> None:
    for name in ("a", "b", "c"):
        assert send_file(client, f"{space}/files", name, b"the same").status == 200
    assert rows(kernel, "kernel_blob") == 1
    assert len(list(kernel.blobs.root.glob("??/*"))) == 1


def test_a_refused_upload_gives_its_blob_back_to_the_sweep(
    kernel: Kernel, client: Client, space: str, send_file: Send
) -> None:
    assert send_file(client, f"{space}/files", "a", b"one").status == 200
    assert send_file(client, f"{space}/files", "a", b"two").code == 3002
    stored = list(kernel.blobs.root.glob("??/*"))
    for path in stored:
        os.utime(path, (1, 1))
    (kernel.blobs.incoming / "left-over").write_bytes(b"x")
    os.utime(kernel.blobs.incoming / "left-over", (1, 1))
    kernel.run(lambda ctx: ctx.defer("kernel.tidy"))
    assert len(list(kernel.blobs.root.glob("??/*"))) == 1
    assert incoming(kernel) == []
    found = client.get(f"{space}/contents").json["items"][0]["content_id"]
    assert client.get(f"{space}/files/{found}/raw/a").body == b"one"


def test_the_sweep_puts_back_what_came_meanwhile(
    kernel: Kernel, client: Client, space: str, send_file: Send
) -> None:
    """A file that is young again by the time it is in the sweep's hand was kept by somebody: it stays."""
    made = send_file(client, f"{space}/files", "a", b"one").json
    stored = next(kernel.blobs.root.glob("??/*"))
    os.utime(stored, (1, 1))

    def nobody_knows_and_somebody_keeps(names: Any) -> set[str]:
        assert list(names) == [stored.name]
        os.utime(stored)
        return set()

    assert kernel.blobs.sweep(nobody_knows_and_somebody_keeps) == 0
    assert client.get(f"{space}/files/{made['content_id']}/raw/a").body == b"one"
    held = kernel.blobs.incoming / f"doomed-{stored.name}"
    stored.rename(held)  # a sweep died here
    kernel.run(lambda ctx: ctx.defer("kernel.tidy"))
    assert client.get(f"{space}/files/{made['content_id']}/raw/a").body == b"one"


def test_the_sweep_holds_no_lock_while_it_walks(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write while the folder of blobs is walked."""
    written: list[str] = []

    def walk(known: Any, **options: Any) -> int:
        with kernel.unit() as ctx:
            ctx.execute(text("UPDATE accounts_user SET lang = 'fr' WHERE user_id = 1"))
        written.append("yes")
        return 0

    monkeypatch.setattr(kernel.blobs, "sweep", walk)
    kernel.run(lambda ctx: ctx.defer("kernel.tidy"))
    assert written == ["yes"]
