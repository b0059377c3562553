"""Programs that save by renaming, and their helper files: one content stays one content, litter never becomes one."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
SPACE, FILE, FOLDER = "/Alpha.space", "/Alpha.space/file.txt", "/Alpha.space/Folder"
NOW = "SELECT content_id FROM core_content_content WHERE filename = :f AND trashed_at IS NULL"
ALL = "SELECT count(*) FROM core_content_content"
SCRATCHES = "SELECT count(*) FROM webdav_scratch"


def names(events: list[Any]) -> list[str]:
    return [e.name for e in events if e.name.startswith("content.")]


def later(place: Any, seconds: float) -> None:
    """Let names that were taken away grow older."""
    from sqlalchemy import text

    statement = text("UPDATE webdav_absent SET since = since - :s")
    place.kernel.run(lambda ctx: ctx.execute(statement, {"s": int(seconds * 1_000_000)}))


@pytest.fixture
def marked(place: Any) -> int:
    """`file.txt` with a comment; the reader has read it, the other contributor loves it."""
    client, file = place.owner.client, place.world.file
    answer = client.post(f"/api/workspaces/{place.space}/contents/{file}/comments", {"raw_content": "<p>good</p>"})
    assert answer.status == 200
    reader, who = place.reader.client, place.world.ids["reader"]
    assert reader.put(f"/api/users/{who}/workspaces/{place.space}/contents/{file}/read").status == 204
    return int(file)


def is_the_same(place: Any, file: int, body: bytes, revisions: int) -> None:
    assert place.reader("GET", FILE).body == body
    assert place.scalar(NOW, f="file.txt") == file
    assert place.scalar("SELECT count(*) FROM core_content_revision WHERE content_id = :c", c=file) == revisions
    answer = place.reader.client.get(f"/api/workspaces/{place.space}/contents/{file}/comments")
    assert [c["raw_content"] for c in answer.json["items"]] == ["<p>good</p>"]


def revisions_of(place: Any, file: int) -> int:
    return int(place.scalar("SELECT count(*) FROM core_content_revision WHERE content_id = :c", c=file))


# -- a name that was taken away ------------------------------------------------------------------------------


def test_deleted_and_saved_again(place: Any, marked: int, events: list[Any]) -> None:
    before = revisions_of(place, marked)
    assert place.manager("DELETE", FILE).status == 204
    events.clear()
    assert place.manager("PUT", FILE, b"new").status == 201
    assert sorted(names(events)) == ["content.modified", "content.restored"]
    assert len({e.content_id for e in events}) == 1
    is_the_same(place, marked, b"new", before + 3)


def test_deleted_and_something_moved_or_copied_to_its_name(place: Any, put: Any, marked: int) -> None:
    for method in ("COPY", "MOVE"):
        before = revisions_of(place, marked)
        put("/Alpha.space/fresh.txt", method.encode())
        assert place.manager("DELETE", FILE).status == 204
        assert place.manager(method, "/Alpha.space/fresh.txt", to=FILE, overwrite="F").status == 201
        is_the_same(place, marked, method.encode(), before + 3)
    assert place.scalar(NOW, f="fresh.txt") is None


@pytest.mark.parametrize("who", ["manager", "contributor"])
def test_moved_away_and_saved_again(place: Any, marked: int, events: list[Any], who: str) -> None:
    """The old bytes stay under the name that they were moved to."""
    person, before = place.people[who], revisions_of(place, marked)
    events.clear()
    assert person("MOVE", FILE, to="/Alpha.space/file.bak").status == 201
    assert person("GET", FILE).status == 404
    assert person("PUT", FILE, b"new").status == 201
    is_the_same(place, marked, b"new", before + 2)
    assert person("GET", "/Alpha.space/file.bak").body == b"hello"
    assert names(events) == ["content.modified", "content.modified", "content.copied"]
    assert place.scalar(NOW, f="file.bak") not in (marked, None)


def test_moved_away_then_a_fresh_file_takes_its_name(place: Any, marked: int) -> None:
    """As a contributor, who may not delete: the file that he has just begun may go."""
    person, before = place.contributor, revisions_of(place, marked)
    assert person("PUT", "/Alpha.space/file.new", b"new").status == 201
    assert person("MOVE", FILE, to="/Alpha.space/file.old").status == 201
    assert person("MOVE", "/Alpha.space/file.new", to=FILE).status == 201
    is_the_same(place, marked, b"new", before + 2)
    assert sorted(place.reader.names(SPACE)) == ["Folder", "Note.document.html", "file.old", "file.txt"]


def test_moved_to_another_folder_and_back(place: Any, marked: int) -> None:
    before = revisions_of(place, marked)
    assert place.manager("MOVE", FILE, to=f"{FOLDER}/file.txt").status == 201
    assert place.manager("MOVE", f"{FOLDER}/file.txt", to=FILE).status == 201
    is_the_same(place, marked, b"hello", before + 2)
    assert place.manager("MOVE", FILE, to=f"{FOLDER}/kept.txt").status == 201
    assert place.manager("PUT", FILE, b"new").status == 201
    is_the_same(place, marked, b"new", before + 5)
    assert place.manager("GET", f"{FOLDER}/kept.txt").body == b"hello"


def test_a_note_comes_back_as_a_note(place: Any) -> None:
    note = "/Alpha.space/Note.document.html"
    number = place.scalar("SELECT content_id FROM core_content_content WHERE label = 'Note'")
    assert place.manager("DELETE", note).status == 204
    assert place.manager("PUT", note, b"<p>again</p>").status == 201
    found = place.content(number)
    assert (found["type"], found["trashed_at"], found["raw_content"]) == ("html-document", None, "<p>again</p>")


def test_what_does_not_come_back(place: Any, put: Any, marked: int, make_space: Any) -> None:
    beta = make_space("Beta", members={place.world.ids["content-manager"]: "content-manager"})
    assert beta
    assert place.manager("DELETE", FILE).status == 204
    assert place.boss("PUT", FILE, b"his").status == 201, "another user means another file"
    other = place.scalar(NOW, f="file.txt")
    assert other != marked
    assert place.manager("DELETE", FILE).status == 204
    later(place, 61)
    assert place.manager("PUT", FILE, b"late").status == 201
    late = place.scalar(NOW, f="file.txt")
    assert late not in (marked, other)
    assert place.manager("MOVE", FILE, to="/Beta.space/file.txt").status == 201
    assert place.manager("PUT", FILE, b"stays there").status == 201
    assert place.scalar("SELECT space_id FROM core_content_content WHERE content_id = :c", c=late) != place.space
    put(FILE)
    last = place.scalar("SELECT max(content_id) FROM core_content_content WHERE filename = 'file.txt'")
    assert place.manager("DELETE", FILE).status == 204
    place.kernel.run(lambda ctx: _set_role(ctx, place, 2))
    assert place.manager("PUT", FILE, b"may save, may not restore").status == 201
    assert place.scalar(NOW, f="file.txt") != last


def _set_role(ctx: Any, place: Any, role: int) -> None:
    from sqlalchemy import text

    statement = text("UPDATE spaces_member SET role = :r WHERE space_id = :s AND user_id = :u")
    ctx.execute(statement, {"r": role, "s": place.space, "u": place.world.ids["content-manager"]})


def test_a_closed_file_does_not_come_back(place: Any, marked: int) -> None:
    answer = place.owner.client.put(
        f"/api/workspaces/{place.space}/files/{marked}/status", {"status": "closed-validated"}
    )
    assert answer.status == 204
    assert place.manager("DELETE", FILE).status == 204
    assert place.manager("PUT", FILE, b"new").status == 201
    assert place.scalar(NOW, f="file.txt") != marked


@pytest.mark.atrio_config(plugins__enabled=["webdav"], webdav__safe_save_seconds=0)
def test_switched_off(place: Any, marked: int) -> None:
    assert place.manager("DELETE", FILE).status == 204
    assert place.manager("PUT", FILE, b"new").status == 201
    assert place.scalar(NOW, f="file.txt") != marked
    assert place.manager("MOVE", FILE, to=f"{SPACE}/~WRL0001.tmp").status == 201
    assert "~WRL0001.tmp" in place.reader.names(SPACE), "a move is a move"


# -- helper files --------------------------------------------------------------------------------------------

LITTER = (
    "~$file.docx", ".~lock.file.odt#", "._file.txt", ".DS_Store", "Thumbs.db", "desktop.ini", "~WRD0001.tmp",
    "A1B2C3D4.tmp", "5F3A9C10", "lu12ab.tmp", ".goutputstream-X1Y2Z3", ".file.txt.swp", "file.txt~", "4913",
)  # fmt: skip
NAMES = (
    "~notes.txt",
    "DEADBEEF",
    "20241231",
    "tmp",
    "a.tmp.txt",
    "lock.file",
    ".bashrc",
    "report~1.txt",
    "thumbs.db.txt",
)


def test_what_is_litter_and_what_is_not(place: Any, put: Any) -> None:
    contents = place.scalar(ALL)
    for name in LITTER:
        put(f"{SPACE}/{name}")
    assert (place.scalar(ALL), place.scalar(SCRATCHES)) == (contents, len(LITTER))
    for name in NAMES:
        put(f"{SPACE}/{name}")
    assert (place.scalar(ALL), place.scalar(SCRATCHES)) == (contents + len(NAMES), len(LITTER))


@pytest.mark.parametrize("native", [True, False])
def test_litter_is_a_file_like_any_other_for_whose_it_is(place: Any, events: list[Any], native: bool) -> None:
    place.natively(native)
    events.clear()
    for folder in (SPACE, FOLDER, ""):
        path = f"{folder}/._file.txt"
        assert place.manager("PUT", path, b"one", if_none_match="*").status == 201
        etag = place.manager("GET", path).headers["etag"]
        assert place.manager("PUT", path, b"two", if_match='"no"').status == 412
        assert place.manager("PUT", path, b"two", if_match=etag).status == 204
        got = place.manager("GET", path)
        assert (got.body, got.headers["etag"] == etag) == (b"two", False)
        assert place.manager("GET", path, range="bytes=1-1").body == b"w"
        assert "._file.txt" in place.manager.names(folder or "/")
        assert "._file.txt" not in place.boss.names(folder or "/")
        assert place.boss("GET", path).status == 404
        token = place.manager.lock(path).headers["lock-token"]
        assert place.manager("PUT", path, b"three").status == 423
        assert place.manager("PUT", path, b"three", if_=f"({token})").status == 204
        assert place.manager("UNLOCK", path, lock_token=token).status == 204
        body = b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><c xmlns="urn:x">red</c></D:prop></D:set></D:propertyupdate>'
        assert place.manager("PROPPATCH", path, body).status == 207
        assert b"red" in place.manager("PROPFIND", path, depth="0").body
        assert place.manager("COPY", path, to=f"{folder}/._copy.txt").status == 201
        assert place.manager("MOVE", f"{folder}/._copy.txt", to=f"{folder}/._moved.txt").status == 201
        assert place.manager("GET", f"{folder}/._moved.txt").body == b"three"
        assert place.manager("DELETE", path).status == 204
        assert place.manager("DELETE", f"{folder}/._moved.txt").status == 204
        assert place.manager("GET", path).status == 404
    assert events == []
    assert place.scalar(SCRATCHES) == 0
    assert place.scalar("SELECT count(*) FROM webdav_property") == 0


def test_who_may_not_save_leaves_no_litter_either(place: Any) -> None:
    assert place.reader("PUT", f"{SPACE}/._file.txt", b"x").status == 403
    assert place.people["user"]("PUT", f"{SPACE}/._file.txt", b"x").status == 409
    assert place.reader("PUT", "/.DS_Store", b"x").status == 201, "at the top it is in nobody's way"
    assert place.reader("PUT", "/file.txt", b"x").status == 403


def test_folders_of_litter(place: Any, events: list[Any]) -> None:
    """macOS saves inside a folder of its own and moves the file out of it."""
    before, contents = revisions_of(place, place.world.file), place.scalar(ALL)
    folder = f"{SPACE}/file.txt.sb-1a2b3c4d-AbCdEf"
    assert place.manager("MKCOL", folder).status == 201
    assert place.manager("PUT", f"{folder}/file.txt", b"new").status == 201
    assert place.manager.names(folder) == ["file.txt"]
    assert place.scalar(ALL) == contents
    events.clear()
    assert place.manager("MOVE", f"{folder}/file.txt", to=FILE).status == 204
    assert place.manager("DELETE", folder).status == 204
    assert names(events) == ["content.modified"]
    assert revisions_of(place, place.world.file) == before + 1
    assert place.reader("GET", FILE).body == b"new"
    assert place.manager("MKCOL", f"{SPACE}/.TemporaryItems").status == 201
    assert place.manager("MKCOL", f"{SPACE}/.TemporaryItems/a").status == 201
    assert place.manager("PUT", f"{SPACE}/.TemporaryItems/a/b.txt", b"b").status == 201
    assert place.manager("MOVE", f"{SPACE}/.TemporaryItems/a", to=f"{SPACE}/Kept").status == 201
    assert place.reader("GET", f"{SPACE}/Kept/b.txt").body == b"b"
    assert place.manager("DELETE", f"{SPACE}/.TemporaryItems").status == 204
    assert place.scalar(SCRATCHES) == 0


def test_a_file_set_aside_is_there_for_everybody_else(place: Any, marked: int, events: list[Any]) -> None:
    before = revisions_of(place, marked)
    for person in (place.manager, place.contributor):
        events.clear()
        assert person("MOVE", FILE, to=f"{SPACE}/~WRL0001.tmp").status == 201
        assert person("GET", FILE).status == 404
        assert "file.txt" not in person.names(SPACE)
        assert place.reader("GET", FILE).status == 200, "nothing has happened yet"
        assert names(events) == []
        assert person("GET", f"{SPACE}/~WRL0001.tmp").status == 200
        assert person("MOVE", f"{SPACE}/~WRL0001.tmp", to=FILE, overwrite="F").status == 201, "as it was"
        before += 1
    is_the_same(place, marked, b"hello", before)
    assert place.manager("MOVE", FILE, to=f"{SPACE}/~WRL0002.tmp").status == 201
    later(place, 61)
    assert place.manager("GET", FILE).body == b"hello", "the program died: the file is where it was"


@pytest.mark.atrio_config(plugins__enabled=["webdav"], webdav__litter=[])
def test_without_litter_every_file_is_a_content(place: Any, put: Any) -> None:
    contents = place.scalar(ALL)
    put(f"{SPACE}/.DS_Store")
    assert place.scalar(ALL) == contents + 1


@pytest.mark.atrio_config(plugins__enabled=["webdav"], webdav__litter_bytes=100, core_content__max_file_size=80)
def test_litter_has_an_end(place: Any, put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.plugins.webdav.services import scratch

    assert place.manager("PUT", f"{SPACE}/._a", b"x" * 81).status == 413
    put(f"{SPACE}/._a", b"x" * 60)
    assert place.manager("PUT", f"{SPACE}/._b", b"x" * 60).status == 507
    assert place.manager("PUT", f"{SPACE}/._a", b"x" * 70).status == 204, "in place of what it had"
    monkeypatch.setattr(scratch, "MOST", 1)
    assert place.manager("PUT", f"{SPACE}/._b", b"").status == 507


def test_old_litter_goes_and_takes_its_time(place: Any, put: Any) -> None:
    from sqlalchemy import text

    from atrio.plugins.webdav.tasks import tidy

    put(f"{SPACE}/._old")
    assert place.manager("MKCOL", f"{SPACE}/.Trashes").status == 201
    put(f"{SPACE}/.Trashes/in.txt")
    for days, left in ((6, 3), (8, 0)):
        moved = text("UPDATE webdav_scratch SET modified = :t")
        when = place.kernel.clock.now() - days * 86400 * 1_000_000
        place.kernel.run(lambda ctx, moved=moved, when=when: ctx.execute(moved, {"t": when}))
        for _ in range(2):
            place.kernel.run(tidy)
        assert place.scalar(SCRATCHES) == left


def test_litter_goes_with_its_folder_and_its_user(place: Any, put: Any) -> None:
    put(f"{FOLDER}/._a")
    put(f"{FOLDER}/kept.txt")
    assert place.manager("MKCOL", f"{FOLDER}/Inner").status == 201
    assert place.manager("MKCOL", f"{FOLDER}/Inner/.Trashes").status == 201
    put(f"{FOLDER}/Inner/.Trashes/b")
    body = b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><c xmlns="urn:x">red</c></D:prop></D:set></D:propertyupdate>'
    for path in (FOLDER, f"{FOLDER}/kept.txt", f"{FOLDER}/._a", f"{FOLDER}/Inner/.Trashes/b", FILE):
        assert place.manager("PROPPATCH", path, body).status == 207
    answer = place.owner.client.put(f"/api/workspaces/{place.space}/contents/{place.world.folder}/trashed")
    assert answer.status == 204
    assert place.scalar(SCRATCHES) == 3, "a folder may be restored"
    put(f"{SPACE}/._stays")
    place.kernel.run(lambda ctx: _purge(ctx, place))
    assert place.scalar(SCRATCHES) == 1
    assert place.scalar("SELECT count(*) FROM webdav_property") == 1


def _purge(ctx: Any, place: Any) -> None:
    from atrio.plugins.core_content.api import get_content
    from atrio.plugins.core_content.services import purge

    purge(ctx, get_content(ctx, place.space, place.world.folder))
