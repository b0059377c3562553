"""Uploads that go on where they broke off: tus 1.0 as its text has it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.core_content.events import ContentCreated
from atrio.plugins.resumable import services

from .conftest import STREAM, VERSION, Tus, encoded

DATA = bytes(range(256)) * 1000


def checksum(data: bytes, algorithm: str = "sha1") -> dict[str, str]:
    digest = hashlib.new(algorithm, data).digest()
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


def test_what_the_server_can(tus: Tus, stranger: Client) -> None:
    answer = stranger.request("OPTIONS", tus.base)
    assert (answer.status, answer.headers["tus-version"], answer.headers["tus-resumable"]) == (
        204,
        "1.0.0",
        "1.0.0",
    )
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "expiration", "checksum", "termination",
        "concatenation",
    }  # fmt: skip
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert "tus-max-size" not in answer.headers


def test_in_pieces(tus: Tus, events: list[Any]) -> None:
    path = tus.begin(len(DATA), filename="größe.thing", filetype="application/x-thing")
    events.clear()
    first = tus.patch(path, 0, DATA[:1000])
    assert (first.status, first.headers["upload-offset"], first.headers["tus-resumable"]) == (204, "1000", "1.0.0")
    assert "upload-expires" in first.headers
    looked = tus.head(path)
    assert (looked.status, looked.headers["upload-length"]) == (200, str(len(DATA)))
    assert looked.headers["upload-metadata"] == encoded(filename="größe.thing", filetype="application/x-thing")
    assert looked.headers["cache-control"] == "no-store"
    assert tus.files() == {}
    last = tus.patch(path, 1000, DATA[1000:])
    content = last.headers["atrio-content-id"]
    assert last.headers["content-location"] == f"/api/workspaces/{tus.space}/contents/{content}"
    assert tus.bytes_of(content) == DATA
    assert tus.files() == {"größe.thing": int(content)}
    shown = tus.client.get(f"/api/workspaces/{tus.space}/files/{content}").json
    assert (shown["mimetype"], shown["size"]) == ("application/x-thing", len(DATA))
    assert [type(e) for e in events] == [ContentCreated]
    again = tus.head(path)
    assert (again.headers["upload-offset"], again.headers["atrio-content-id"]) == (str(len(DATA)), content)
    assert list(tus.folder.iterdir()) == []
    assert list(tus.kernel.blobs.incoming.iterdir()) == []
    assert tus.patch(path, len(DATA), b"").status == 409


def test_begun_with_bytes(tus: Tus) -> None:
    part = tus.post(10, b"hello", filename="a.txt")
    assert (part.status, part.headers["upload-offset"]) == (201, "5")
    assert tus.patch(part.headers["location"], 5, b"world").status == 204
    whole = tus.post(5, b"hello", filename="b.txt")
    assert (whole.status, whole.headers["upload-offset"]) == (201, "5")
    assert tus.bytes_of(whole.headers["atrio-content-id"]) == b"hello"
    empty = tus.post(0, filename="c.txt")
    assert tus.bytes_of(empty.headers["atrio-content-id"]) == b""
    for body, headers, status in ((b"x", {"Content-Type": "text/plain"}, 415), (b"123456", {}, 413)):
        assert tus.post(5, body, headers, filename="d.txt").status == status
    assert set(tus.files()) == {"a.txt", "b.txt", "c.txt"}
    assert list(tus.folder.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 1, 65_535, 65_536, 100_000, len(DATA) - 1, len(DATA)])
def test_a_cut_keeps_what_came(tus: Tus, cut: int) -> None:
    path = tus.begin(len(DATA))
    answer = tus.patch(path, 0, DATA, cut_after=cut)
    if cut == len(DATA):  # all came, though not the end of the body: there is nothing left to bring
        assert answer.status == 204
    else:
        assert answer.status == 0
        assert tus.offset(path) == cut
        assert tus.patch(path, cut, DATA[cut:]).status == 204
    (content,) = tus.files().values()
    assert tus.bytes_of(content) == DATA


def test_the_hash_goes_on_or_is_made_anew(tus: Tus) -> None:
    from atrio.plugins.resumable.arrival import shelf_of

    for forget in (False, True):
        path = tus.begin(len(DATA), filename=f"{forget}.bin")
        for start in range(0, len(DATA), 100_000):
            if forget:
                shelf_of(tus.kernel).hashes._kept.clear()
            assert tus.patch(path, start, DATA[start : start + 100_000]).status == 204
    assert {tus.bytes_of(c) for c in tus.files().values()} == {DATA}
    with tus.kernel.unit(writes=False) as ctx:
        from sqlalchemy import text

        rows = ctx.execute(text("SELECT digest FROM kernel_blob")).scalars().all()
    assert rows == [hashlib.sha256(DATA).hexdigest()]


def test_wrong_offsets(tus: Tus) -> None:
    path = tus.begin(10)
    assert tus.patch(path, 0, b"abc").status == 204
    for offset in (0, 2, 4):
        answer = tus.patch(path, offset, b"x")
        assert (answer.status, answer.code, answer.headers["upload-offset"]) == (409, 20141, "3")
    assert tus.patch(path, 3, b"x" * 8).status == 413
    assert tus.patch(path, 3, b"x" * 8, {"Content-Length": ""}).status == 413
    assert tus.offset(path) == 3


def test_wrong_requests(tus: Tus) -> None:
    path = tus.begin(10)
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = tus.client.request("PATCH", path, body=b"x", headers={**STREAM, "Tus-Resumable": "", **headers})
        assert (answer.status, answer.code, answer.headers["tus-version"]) == (412, 20144, "1.0.0")
        assert answer.headers["tus-resumable"] == "1.0.0"
    assert tus.patch(path, "x", b"x").code == 20146
    assert tus.patch(path, "-1", b"x").code == 20146
    assert tus.patch(path, 0, b"x", {"Content-Type": "application/json"}).status == 415
    for value in ("md5 abc", "sha1 ###", "sha1", ""):
        answer = tus.patch(path, 0, b"x", {"Upload-Checksum": value})
        assert answer.status in (400, 460), value
    assert tus.offset(path) == 0
    for length in ("", "x", "-1", "9" * 19, "1.5"):
        assert tus.post(length, filename="x.txt").code == 20146
    for metadata in (
        "filename ###",
        "filename YQ==,filename YQ==",
        ",",
        "filename /w==",
        "filename " + "A" * 9000,
    ):
        answer = tus.client.request(
            "POST", tus.base, headers={**VERSION, "Upload-Length": "1", "Upload-Metadata": metadata}
        )
        assert (answer.status, answer.code) == (400, 20146), metadata
    for meta, code in (
        ({}, 2005), ({"filename": ""}, 2005), ({"filename": "x" * 2000}, 2005),
        ({"filename": "a", "parent_id": "x"}, 2001), ({"filename": "a", "parent_id": 999}, 1004),
        ({"filename": "a", "content_type": "folder"}, 2001), ({"filename": "a", "content_type": "nothing"}, 1006),
        ({"filename": "a", "content_namespace": "x"}, 2001), ({"content_id": 999}, 1003), ({"content_id": "-"}, 2001),
    ):  # fmt: skip
        assert tus.post(5, **meta).code == code, meta


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksums(tus: Tus, algorithm: str) -> None:
    path = tus.begin(len(DATA))
    assert tus.patch(path, 0, DATA[:1000], checksum(DATA[:1000], algorithm)).status == 204
    wrong = tus.patch(path, 1000, DATA[1000:2000], checksum(b"other", algorithm))
    assert (wrong.status, wrong.code) == (460, 20143)
    assert tus.offset(path) == 1000
    cut = tus.patch(path, 1000, DATA[1000:], checksum(DATA[1000:], algorithm), cut_after=90_000)
    assert (cut.status, tus.offset(path)) == (0, 1000), "what could not be checked does not count"
    assert tus.patch(path, 1000, DATA[1000:], checksum(DATA[1000:], algorithm)).status == 204
    (content,) = tus.files().values()
    assert tus.bytes_of(content) == DATA


def test_bytes_that_a_dead_process_had_not_checked(tus: Tus) -> None:
    path = tus.begin(10)
    tus.patch(path, 0, b"abc")
    token = path.rpartition("/")[2]
    (tus.folder / f"{token}.checked").write_text("3")
    with (tus.folder / token).open("ab") as file:
        file.write(b"xyz")
    assert tus.client.get(path).json["offset"] == 3
    assert tus.offset(path) == 3
    assert tus.patch(path, 3, b"defghij").status == 204
    assert tus.bytes_of(tus.files()["a.txt"]) == b"abcdefghij"


def test_all_came_and_the_server_died(tus: Tus) -> None:
    path = tus.begin(5)
    (tus.folder / path.rpartition("/")[2]).write_bytes(b"hello")
    looked = tus.head(path)
    assert looked.status == 200
    assert tus.bytes_of(looked.headers["atrio-content-id"]) == b"hello"


def test_one_writer_at_a_time(tus: Tus) -> None:
    from atrio.plugins.resumable.arrival import Arrival, shelf_of

    path = tus.begin(10)
    other = Arrival(shelf_of(tus.kernel), path.rpartition("/")[2], 10, start=0)
    other.open()
    try:
        for answer in (tus.patch(path, 0, b"x"), tus.head(path)):
            assert (answer.status, answer.headers["retry-after"]) == (423, "1")
        assert tus.client.get(path).json["offset"] == 0
    finally:
        other.close(whole=False)
        other.discard()
    assert tus.patch(path, 0, b"x").status == 204


def test_new_bytes_of_a_file(tus: Tus, send_file: Any) -> None:
    made = send_file(tus.client, f"/api/workspaces/{tus.space}/files", "old.txt", b"old").json
    path = tus.begin(3, content_id=made["content_id"], filename="")
    answer = tus.patch(path, 0, b"new")
    assert answer.headers["atrio-content-id"] == str(made["content_id"])
    assert tus.bytes_of(made["content_id"]) == b"new"
    assert tus.files() == {"old.txt": made["content_id"]}
    path = tus.begin(3, content_id=made["content_id"], filename="renamed.txt")
    assert tus.patch(path, 0, b"abc").status == 204
    assert tus.files() == {"renamed.txt": made["content_id"]}


def test_other_types_and_places(tus: Tus, make_content: Any) -> None:
    folder = make_content(tus.space, "Folder", "folder")["content_id"]
    path = tus.begin(2, filename="b.kanban", content_type="kanban", parent_id=folder)
    content = tus.patch(path, 0, b"{}").headers["atrio-content-id"]
    shown = tus.client.get(f"/api/workspaces/{tus.space}/files/{content}").json
    assert (shown["content_type"], shown["parent_id"]) == ("kanban", folder)


def test_what_came_in_between(tus: Tus, send_file: Any, make_content: Any) -> None:
    """A name that was taken, a folder that went: the end refuses, nothing is lost, and it can be tried again."""
    folder = make_content(tus.space, "Folder", "folder")["content_id"]
    path = tus.begin(5)
    below = tus.begin(5, parent_id=folder)
    assert send_file(tus.client, f"/api/workspaces/{tus.space}/files", "a.txt", b"rival").status == 200
    assert tus.client.put(f"/api/workspaces/{tus.space}/contents/{folder}/trashed").status == 204
    assert tus.post(5, filename="a.txt").code == 3002, "a taken name is refused at once"
    assert tus.patch(path, 0, b"hello").code == 3002
    assert tus.patch(below, 0, b"hello").code == 1004
    assert tus.head(path).status == 400
    assert tus.client.put(f"/api/workspaces/{tus.space}/contents/{tus.files()['a.txt']}/trashed").status == 204
    looked = tus.head(path)
    assert looked.status == 200
    assert tus.bytes_of(looked.headers["atrio-content-id"]) == b"hello"
    assert tus.client.put(f"/api/workspaces/{tus.space}/contents/{folder}/trashed/restore").status == 204
    assert tus.bytes_of(tus.head(below).headers["atrio-content-id"]) == b"hello"
    assert list(tus.folder.iterdir()) == []


def test_termination(tus: Tus) -> None:
    path = tus.begin(5)
    tus.patch(path, 0, b"he")
    assert tus.delete(path).status == 204
    assert (tus.delete(path).status, tus.head(path).status, tus.patch(path, 2, b"llo").code) == (404, 404, 20140)
    assert list(tus.folder.iterdir()) == []
    done = tus.post(5, b"hello", filename="b.txt")
    assert tus.delete(done.headers["location"]).status == 204
    assert tus.bytes_of(done.headers["atrio-content-id"]) == b"hello"


def test_methods_by_another_name(tus: Tus) -> None:
    path = tus.begin(5)

    def post(verb: str, body: bytes, offset: int) -> Any:
        headers = {**STREAM, "X-HTTP-Method-Override": verb, "Upload-Offset": str(offset)}
        return tus.client.request("POST", path, body=body, headers=headers)

    assert (post("PATCH", b"he", 0).status, tus.offset(path)) == (204, 2)
    assert post("PATCH", b"x", 0).status == 409
    assert post("MOVE", b"", 2).status == 405
    assert tus.bytes_of(post("PATCH", b"llo", 2).headers["atrio-content-id"]) == b"hello"
    assert post("DELETE", b"", 0).status == 204
    assert tus.head(path).status == 404


def test_parts(tus: Tus) -> None:
    partial = {"Upload-Concat": "partial"}
    places = [tus.post(n, headers=partial).headers["location"] for n in (5, 3)]
    assert tus.patch(places[1], 0, b"abc").status == 204
    assert tus.patch(places[0], 0, b"he").status == 204

    def final(*parts: str, **meta: Any) -> Any:
        given = {**VERSION, "Upload-Concat": f"final;{' '.join(parts)}", "Upload-Metadata": encoded(**meta)}
        return tus.client.request("POST", tus.base, headers=given)

    early = final(*places, filename="a.txt")
    assert (early.status, early.code) == (409, 20141)
    assert tus.patch(places[0], 2, b"llo").status == 204
    assert tus.files() == {}
    looked = tus.head(places[0])
    assert (looked.headers["upload-concat"], looked.headers["upload-offset"]) == ("partial", "5")
    assert "atrio-content-id" not in looked.headers
    assert final(*places, filename="").code == 2005
    assert final(places[0], places[0], filename="a.txt").code == 20146
    assert final("/x/y", filename="a.txt").code == 20140
    assert final(tus.begin(0 + 1, filename="z.txt"), filename="a.txt").code == 20140, "no part"
    made = final(places[0], f"http://elsewhere{places[1]}", filename="a.txt")
    assert made.status == 201
    assert tus.bytes_of(made.headers["atrio-content-id"]) == b"helloabc"
    assert [tus.head(place).status for place in places] == [404, 404]
    assert tus.head(made.headers["location"]).headers["upload-concat"].startswith("final;")
    assert len(list(tus.folder.iterdir())) == 1, "what was begun beside it"


def test_expiry(tus: Tus, clock: Any) -> None:
    import os

    path, living = tus.begin(5), tus.begin(5, filename="b.txt")
    (tus.folder / "0123456789abcdef0123456789abcdef").write_bytes(b"of no upload")
    clock.move(25 * 3600)
    now = clock.now() / 1_000_000
    os.utime(tus.folder / living.rpartition("/")[2], (now, now))  # a byte came an hour ago
    tus.kernel.run(services.expire)
    assert (tus.head(path).status, tus.offset(living)) == (404, 0)
    assert [p.name for p in tus.folder.iterdir()] == [living.rpartition("/")[2]]
    tus.kernel.run(services.expire)
    assert tus.offset(living) == 0
    clock.move(50 * 3600)
    tus.kernel.run(services.expire)
    assert list(tus.folder.iterdir()) == []


@pytest.mark.atrio_config(resumable__open_uploads=2, resumable__open_bytes=100, core_content__max_file_size=80)
def test_limits(tus: Tus) -> None:
    assert tus.client.request("OPTIONS", tus.base).headers["tus-max-size"] == "80"
    assert (tus.post(81, filename="a").status, tus.post(81, filename="a").code) == (413, 20002)
    first = tus.begin(50)
    assert (tus.post(51, filename="b").status, tus.post(51, filename="b").code) == (403, 20145)
    second = tus.begin(50, filename="b.txt")
    assert tus.delete(second).status == 204
    tus.begin(1, filename="b.txt")
    assert tus.post(1, filename="c").code == 20145
    assert tus.patch(first, 0, b"x" * 50).status == 204
    tus.begin(1, filename="c.txt")


@pytest.mark.atrio_config(core_content__space_size=10)
def test_the_quota_is_asked_at_both_ends(tus: Tus, send_file: Any) -> None:
    assert tus.post(11, filename="a").code == 6003
    path = tus.begin(8)
    assert send_file(tus.client, f"/api/workspaces/{tus.space}/files", "rival.txt", b"12345").status == 200
    assert tus.patch(path, 0, b"x" * 8).code == 6003
    assert set(tus.files()) == {"rival.txt"}


def test_rights(kernel: Kernel, client: Client, world: Any) -> None:
    reader, writer = (Tus(kernel, world.people[who], world.space) for who in ("reader", "contributor"))
    manager, outside = (Tus(kernel, world.people[who], world.space) for who in ("workspace-manager", "user"))
    assert reader.post(5, filename="x").code == 4003
    assert outside.post(5, filename="x").code == 1002
    assert Tus(kernel, world.people["stranger"], world.space).post(5, filename="x").status == 401
    path = writer.begin(5)
    for other in (manager, Tus(kernel, client, world.space)):
        assert (other.head(path).status, other.patch(path, 0, b"x").code, other.delete(path).code) == (
            404,
            20140,
            20140,
        )
        assert other.client.get(path).code == 20140
        assert other.client.get(other.base).json == []
    assert [u["upload_token"] for u in writer.client.get(writer.base).json] == [path.rpartition("/")[2]]
    assert writer.patch(path, 0, b"he").status == 204
    member = f"/api/workspaces/{world.space}/members/{world.ids['contributor']}"
    assert client.put(member, {"role": "reader"}).status == 200
    assert writer.patch(path, 2, b"llo").code == 4003
    assert writer.head(path).status == 403
    assert client.delete(member).status == 204
    assert writer.patch(path, 2, b"llo").code == 1002
    assert writer.delete(path).status == 204, "what one began one may always give up"


def test_a_role_that_goes_while_the_bytes_come(kernel: Kernel, client: Client, world: Any) -> None:
    """The end asks again: the last byte is there, the right is not."""
    from atrio.plugins.resumable import arrival

    writer = Tus(kernel, world.people["contributor"], world.space)
    path = writer.begin(5)
    closed = arrival.Arrival.close

    def close_late(self: Any, *, whole: bool) -> bool:
        member = f"/api/workspaces/{world.space}/members/{world.ids['contributor']}"
        other = Client(kernel.app, client.login, client.password)
        import threading

        thread = threading.Thread(target=lambda: other.put(member, {"role": "reader"}))
        thread.start()
        thread.join()
        return closed(self, whole=whole)

    arrival.Arrival.close = close_late  # type: ignore[method-assign]
    try:
        assert writer.patch(path, 0, b"hello").code == 4003
    finally:
        arrival.Arrival.close = closed  # type: ignore[method-assign]
    assert "a.txt" not in writer.files()


@pytest.mark.atrio_config(cors__allowed_origins=["https://app.example"])
def test_pages_of_other_origins(tus: Tus, stranger: Client) -> None:
    path = tus.begin(5)
    for method, place in (("PATCH", path), ("POST", tus.base), ("HEAD", path), ("DELETE", path)):
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": method}
        answer = stranger.request("OPTIONS", place, headers=asked)
        assert method in answer.headers["access-control-allow-methods"].split(", ")
        assert "Upload-Offset" in answer.headers["access-control-allow-headers"]
    looked = tus.client.request("HEAD", path, headers={**VERSION, "Origin": "https://app.example"})
    exposed = ",".join(v for k, v in looked.all_headers if k == "access-control-expose-headers")
    assert {"Upload-Offset", "Location", "Content-Length"} <= set(exposed.split(","))


def test_a_list_costs_the_same(tus: Tus, statements: Any) -> None:
    from sqlalchemy import insert

    from atrio.plugins.resumable.models import UPLOAD

    def fill(numbers: range) -> None:
        values = {
            "owner_id": 1, "space_id": tus.space, "length": 1, "filename": "a", "media": "", "content_type": "file",
            "namespace": "content", "told": "", "concat": "", "created": 1, "expires": 2**50,
        }  # fmt: skip
        with tus.kernel.unit() as ctx:
            ctx.execute(insert(UPLOAD), [{**values, "token": f"{n:032x}"} for n in numbers])

    counts = []
    for numbers in (range(10), range(10, 1000)):
        fill(numbers)
        tus.client.get(tus.base)
        with statements() as seen:
            assert len(tus.client.get(tus.base).json) == numbers[-1] + 1
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4
