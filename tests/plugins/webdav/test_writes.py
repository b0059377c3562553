"""Writing on the drive: revisions, events, copies, moves, conditions, limits."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
FILE, FOLDER = "/Alpha.space/file.txt", "/Alpha.space/Folder"
NOW = "SELECT content_id FROM core_content_content WHERE filename = :f AND trashed_at IS NULL"
REVISIONS = "SELECT count(*) FROM core_content_revision WHERE content_id = :c"


def names(events: list[Any]) -> list[str]:
    return [e.name for e in events if e.name.startswith("content.")]


def test_a_save_is_one_revision_and_one_event(place: Any, put: Any, events: list[Any]) -> None:
    assert put("/Alpha.space/new.txt", b"one").status == 201
    made = place.scalar(NOW, f="new.txt")
    assert (place.scalar(REVISIONS, c=made), names(events)) == (1, ["content.created"])
    events.clear()
    answer = put("/Alpha.space/new.txt", b"two")
    assert answer.status == 204
    assert (place.scalar(REVISIONS, c=made), names(events)) == (2, ["content.modified"])
    got = place.reader("GET", "/Alpha.space/new.txt")
    assert (got.body, got.headers["etag"]) == (b"two", answer.headers["etag"])
    assert b"getetag>" + answer.headers["etag"].encode() in place.reader("PROPFIND", "/Alpha.space/new.txt").body


def test_an_empty_file(place: Any, put: Any) -> None:
    put("/Alpha.space/empty.txt", b"")
    answer = place.reader("GET", "/Alpha.space/empty.txt")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    assert place.reader("HEAD", "/Alpha.space/empty.txt").headers["content-length"] == "0"


@pytest.mark.parametrize("native", [True, False])
def test_ranges_and_conditions_of_a_download(place: Any, put: Any, native: bool) -> None:
    place.natively(native)
    etag = put(FILE, b"0123456789").headers["etag"]
    get = place.reader
    answer = get("GET", FILE, range="bytes=2-4")
    assert (answer.status, answer.body, answer.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert get("GET", FILE, range="bytes=-3").body == b"789"
    assert get("GET", FILE, range="bytes=20-").status == 416
    assert get("GET", FILE, if_none_match=etag).status == 304
    assert get("GET", FILE, if_none_match='"other"').status == 200
    assert get("GET", FILE, if_match='"other"').status == 412
    assert get("GET", FILE, if_match=etag).status == 200
    assert get("GET", FILE, if_=f"([{etag}])").status == 200
    assert get("GET", FILE, if_='(["other"])').status == 412
    head = get("HEAD", FILE)
    assert (head.headers["content-length"], head.body) == ("10", b"")


def test_conditions_of_a_save(place: Any, put: Any) -> None:
    etag = put(FILE, b"one").headers["etag"]
    host = "http://testserver:80/webdav"
    before = place.facts()
    for headers in (
        {"if_match": '"r1"'}, {"if_none_match": "*"}, {"if_none_match": etag}, {"if_": '(["r1"])'},
        {"if_": f"(Not [{etag}])"}, {"if_": f'<{host}{FILE}> (["r1"])'}, {"if_": f'<{host}/Alpha.space/x> ([{etag}])'},
        {"if_": "(<opaquelocktoken:none>)"}, {"if_": f"<{host}{FOLDER}> (<opaquelocktoken:none>)"},
    ):  # fmt: skip
        assert place.manager("PUT", FILE, b"two", **headers).status == 412, headers
    assert place.manager("PUT", FILE, b"two", if_="rubbish").status == 400
    for headers in ({"if_match": "*"}, {"if_match": etag}, {"if_": f"([{etag}])"}, {"if_": '(["r1"])'}):
        assert place.manager("PUT", "/Alpha.space/none.txt", b"two", **headers).status == 412, headers
    assert place.manager("MKCOL", "/Alpha.space/None", if_match="*").status == 412
    assert place.facts() == before
    etag = put(FILE, b"two", if_match=etag).headers["etag"]
    etag = put(FILE, b"three", if_=f"([{etag}])").headers["etag"]
    etag = put(FILE, b"four", if_=f"<{host}{FILE}> ([{etag}])").headers["etag"]
    put(FILE, b"five", if_=f'(["r1"]) ([{etag}])')
    put("/Alpha.space/none.txt", b"six", if_none_match="*")
    assert place.manager("DELETE", FILE, if_match='"r1"').status == 412


def test_of_two_saves_with_one_condition_one_is_told(place: Any, put: Any) -> None:
    """The condition holds until the commit: what came while the body was on its way is not overwritten."""
    for path, headers in (
        (FILE, {"if-match": put(FILE, b"one").headers["etag"]}),
        ("/Alpha.space/n.txt", {"if-none-match": "*"}),
    ):
        barrier = threading.Barrier(4)
        statuses: list[int] = []

        def save(
            number: int,
            path: str = path,
            headers: dict[str, str] = headers,
            barrier: Any = barrier,
            statuses: Any = statuses,
        ) -> None:
            client = Client(place.kernel.app, "the-content-manager", PASSWORD)
            barrier.wait()
            answer = client.request("PUT", f"/webdav{path}", body=b"%d" % number * 1000, headers=headers)
            statuses.append(answer.status)
            client.close()

        threads = [threading.Thread(target=save, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [204 if path == FILE else 201, 412, 412, 412]


def test_what_a_file_overwrites_gets_a_revision(place: Any, put: Any, events: list[Any]) -> None:
    put("/Alpha.space/other.txt", b"other")
    other, file = place.scalar(NOW, f="other.txt"), place.world.file
    for method in ("COPY", "MOVE"):
        assert place.manager(method, FILE, to="/Alpha.space/other.txt", overwrite="F").status == 412
    put(FILE, b"copied")
    events.clear()
    assert place.manager("COPY", FILE, to="/Alpha.space/other.txt").status == 204
    assert names(events) == ["content.modified"]
    assert place.reader("GET", "/Alpha.space/other.txt").body == b"copied"
    put(FILE, b"moved")
    events.clear()
    assert place.manager("MOVE", FILE, to="/Alpha.space/other.txt", overwrite="T").status == 204
    assert sorted(names(events)) == ["content.modified", "content.trashed"]
    assert place.scalar(NOW, f="other.txt") == other, "its id, comments and shares stay"
    assert place.scalar(REVISIONS, c=other) == 3
    assert place.reader("GET", "/Alpha.space/other.txt").body == b"moved"
    assert place.manager("GET", FILE).status == 404
    assert place.content(file)["trashed_at"] is not None, "and nothing of what was moved is lost"
    assert (
        place.manager("MOVE", "/Alpha.space/other.txt", to="/Alpha.space/fresh.txt", overwrite="F").status == 201
    )


def test_what_is_no_file_goes_to_the_trash_when_overwritten(place: Any, put: Any, events: list[Any]) -> None:
    put(f"{FOLDER}/a.txt")
    assert place.manager("MKCOL", "/Alpha.space/Second").status == 201
    events.clear()
    assert place.manager("COPY", FOLDER, to="/Alpha.space/Second").status == 204
    assert names(events) == ["content.trashed", "content.copied"]
    assert place.manager.names("/Alpha.space/Second") == ["a.txt"]
    assert place.manager("MOVE", FOLDER, to="/Alpha.space/Second").status == 204
    assert place.manager("GET", FOLDER + "/").status == 404
    assert place.contributor("MOVE", FILE, to="/Alpha.space/Second").status == 403
    assert place.reader.names("/Alpha.space/Second") == ["a.txt"]


def test_a_move_keeps_id_revisions_and_properties(
    place: Any, put: Any, make_space: Any, events: list[Any]
) -> None:
    ids = place.world.ids
    make_space("Beta", members={ids["content-manager"]: "content-manager", ids["reader"]: "reader"})
    put(f"{FOLDER}/a.txt", b"one")
    put(f"{FOLDER}/a.txt", b"two")
    made = place.scalar(NOW, f="a.txt")
    body = b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><c xmlns="urn:x">red</c></D:prop></D:set></D:propertyupdate>'
    assert place.manager("PROPPATCH", f"{FOLDER}/a.txt", body).status == 207
    events.clear()
    assert place.manager("MOVE", FOLDER, to="/Beta.space/Renamed").status == 201
    assert place.reader("GET", "/Beta.space/Renamed/a.txt").body == b"two"
    assert place.scalar(NOW, f="a.txt") == made
    revisions = place.scalar(REVISIONS, c=made)
    assert 2 <= revisions <= 3
    assert names(events).count("content.moved") == 1, names(events)
    assert b"red" in place.reader("PROPFIND", "/Beta.space/Renamed/a.txt", depth="0").body
    assert place.manager("MOVE", "/Beta.space/Renamed/a.txt", to="/Alpha.space/b.txt").status == 201
    assert place.scalar(NOW, f="b.txt") == made


def test_a_copied_tree_copies_rows_and_shares_bytes(
    place: Any, put: Any, events: list[Any], statements: Any
) -> None:
    for folder in range(10):
        assert place.manager("MKCOL", f"{FOLDER}/f{folder}").status == 201
        for file in range(29):
            put(f"{FOLDER}/f{folder}/{file}.txt", b"%d" % file)
    rows, revisions, _, blobs = place.facts()
    events.clear()
    with statements() as seen:
        assert place.manager("COPY", FOLDER, to="/Alpha.space/Copy").status == 201
    assert len(seen) < 80, "not one by one"
    assert names(events) == ["content.copied"]
    after = place.facts()
    assert (after[0] - rows, after[1] - revisions) == (301, 301)
    assert after[3] == blobs
    assert place.manager("GET", "/Alpha.space/Copy/f9/28.txt").body == b"28"
    put("/Alpha.space/Copy/f9/28.txt", b"changed")
    assert place.manager("GET", f"{FOLDER}/f9/28.txt").body == b"28", "the copy is a thing of its own"
    assert place.manager("COPY", FOLDER, to="/Alpha.space/Bare", depth="0").status == 201
    assert place.manager.names("/Alpha.space/Bare") == []
    for depth, status in (("infinity", 207), ("1", 207)):
        assert place.manager("PROPFIND", "/Alpha.space", depth=depth).status == status
    assert len(place.manager.names("/Alpha.space")) == 5


def test_a_copy_walks_the_tree_and_not_the_instance(place: Any, put: Any) -> None:
    """On SQLite, whose plans say so: what lies in a folder is found by its parent, whatever else there is."""
    if place.kernel.db.dialect != "sqlite":
        pytest.skip("reads the plans of SQLite")
    from sqlalchemy import event

    put(f"{FOLDER}/a.txt")
    seen: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, sql: str, values: Any, *rest: Any) -> None:
        seen.append((sql, values))

    event.listen(place.kernel.db.writer, "before_cursor_execute", note)
    assert place.manager("COPY", FOLDER, to="/Alpha.space/Copy").status == 201
    event.remove(place.kernel.db.writer, "before_cursor_execute", note)
    copying = [(sql, values) for sql, values in seen if "WITH RECURSIVE twins" in sql and "INSERT" in sql]
    assert len(copying) >= 2
    with place.kernel.unit() as ctx:
        for sql, values in copying:
            steps = [row[3] for row in ctx.kept.raw.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()]
            mine = [step for step in steps if re.match(r"(SCAN|SEARCH) old( |$)", step)]
            assert mine == ["SEARCH old USING INDEX ix_core_content_content_parent (parent_id=?)"], steps


@pytest.mark.atrio_config(plugins__enabled=["webdav"], webdav__infinity_limit=5)
def test_infinite_listings_are_bounded(place: Any, put: Any) -> None:
    assert place.manager("PROPFIND", "/Alpha.space", depth="infinity").status == 207
    for number in range(5):
        put(f"{FOLDER}/{number}.txt")
    for headers in ({"depth": "infinity"}, {}):
        answer = place.manager("PROPFIND", "/Alpha.space", **headers)
        assert answer.status == 403
        assert b"propfind-finite-depth" in answer.body
    assert place.manager("PROPFIND", FOLDER, depth="1").status == 207


@pytest.mark.atrio_config(plugins__enabled=["webdav"], core_content__max_file_size=10)
def test_a_file_beyond_the_limit(place: Any, put: Any) -> None:
    put(FILE, b"x" * 10)
    before = place.facts()
    for path in (FILE, "/Alpha.space/new.txt"):
        assert place.manager("PUT", path, b"x" * 11).status == 413
    assert place.facts() == before


@pytest.mark.atrio_config(plugins__enabled=["webdav"], core_content__space_size=100)
def test_a_full_space(place: Any, put: Any) -> None:
    put(f"{FOLDER}/big.txt", b"x" * 60)
    before = place.facts()
    assert place.manager("PUT", "/Alpha.space/new.txt", b"x" * 60).status == 507
    assert place.manager("PUT", FILE, b"x" * 60).status == 507
    assert place.manager("COPY", FOLDER, to="/Alpha.space/Copy").status == 507
    assert place.facts() == before


def test_an_owner_without_room(place: Any) -> None:
    answer = place.world.people["root"].put("/api/users/1/allowed_space", {"allowed_space": 50})
    assert answer.status == 204
    before = place.facts()
    assert place.manager("PUT", "/Alpha.space/new.txt", b"x" * 60).status == 507
    assert place.facts() == before


def test_what_users_stored_is_sandboxed(place: Any, put: Any) -> None:
    for name, media in (("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.xhtml", "application/xhtml+xml")):
        put(f"/Alpha.space/{name}", b"<script>alert(1)</script>", content_type=media)
        for headers in ({}, {"if_match": "*"}):
            answer = place.reader("GET", f"/Alpha.space/{name}", **headers)
            assert answer.status == 200
            assert answer.headers["content-security-policy"].startswith("sandbox")
            assert answer.headers["x-content-type-options"] == "nosniff"
    put("/Alpha.space/<img src=x onerror=alert(1)>.txt")
    page = place.reader("GET", "/Alpha.space/")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(rb"<(img|script)", page.body)


@pytest.mark.parametrize(
    "name", ["a;b.txt", "what?.txt", "100% #1.txt", "%41.txt", "a&b=c+d.txt", "http:x.txt", "ü日本.txt"]
)
def test_names_in_a_destination(place: Any, put: Any, name: str) -> None:
    shown = name.replace("?", "ʔ")
    put("/Alpha.space/plain.txt", b"text")
    assert place.manager("MOVE", "/Alpha.space/plain.txt", to=f"/Alpha.space/{name}").status == 201
    assert shown in place.manager.names("/Alpha.space")
    assert place.manager("GET", f"/Alpha.space/{name}").body == b"text"
    assert place.manager("COPY", f"/Alpha.space/{name}", to=f"{FOLDER}/{name}").status == 201
    assert place.manager.names(FOLDER) == [shown]
    assert place.manager("MKCOL", f"{FOLDER}/x").status == 201
    assert place.manager("COPY", f"{FOLDER}/x", to=f"{FOLDER}/{name}.d").status == 201
    assert shown + ".d" in place.manager.names(FOLDER)


def test_a_text_longer_than_notes_may_be_is_refused_unread(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.plugins.core_content import api

    monkeypatch.setattr(api, "TEXT_LIMIT", 100)
    note = "/Alpha.space/Note.document.html"
    before = place.facts()
    assert place.manager("PUT", note, b"<p>" + b"x" * 100).status == 413
    assert place.facts() == before
    assert place.manager("PUT", note, b"<p>short</p>").status == 204


def test_a_policy_that_refuses_readers_counts_on_the_drive(place: Any, put: Any) -> None:
    from atrio.kernel.http.guards import Policy, deny
    from atrio.plugins.spaces.api import InsufficientUserRole

    put("/Alpha.space/seen.txt")
    assert place.reader("GET", "/Alpha.space/seen.txt").status == 200
    place.kernel.rights.add("test", Policy("spaces.reader", lambda ctx, space: deny(InsufficientUserRole)))
    for method, path in (
        ("GET", "/Alpha.space/seen.txt"),
        ("GET", "/Alpha.space/"),
        ("PROPFIND", "/Alpha.space/"),
    ):
        assert place.reader(method, path, depth="0").status == 404, (method, path)


def test_a_folder_copied_into_itself_is_copied_once(place: Any, put: Any) -> None:
    from atrio.kernel.context import Actor
    from atrio.plugins.accounts.api import get_user
    from atrio.plugins.webdav.drive import Drive

    for name in ("a.txt", "b.txt"):
        put(f"{FOLDER}/{name}")
    assert place.manager("MKCOL", f"{FOLDER}/Inner").status == 201
    put(f"{FOLDER}/Inner/c.txt")
    user = place.kernel.run(lambda ctx: get_user(ctx, 1), writes=False)
    drive = Drive(place.kernel, Actor(1, "user", user))
    folder = drive.find(FOLDER)
    assert folder is not None
    drive.copy(folder, folder, "Again", None, deep=True)
    assert sorted(place.manager.names(FOLDER)) == ["Again", "Inner", "a.txt", "b.txt"]
    assert sorted(place.manager.names(f"{FOLDER}/Again")) == ["Inner", "a.txt", "b.txt"]
    assert place.manager.names(f"{FOLDER}/Again/Inner") == ["c.txt"]
    assert place.manager("GET", f"{FOLDER}/Again/Inner/c.txt").body == b"hello"


def test_a_move_takes_as_many_statements_for_any_tree(
    place: Any, put: Any, make_space: Any, statements: Any
) -> None:
    make_space("Beta", members={place.world.ids["content-manager"]: "content-manager"})
    counts: dict[str, list[int]] = {"here": [], "across": []}
    for many in (1, 120):
        for number in range(many):
            put(f"{FOLDER}/{number}.txt")
        with statements() as seen:
            assert place.manager("MOVE", FOLDER, to="/Alpha.space/Moved").status == 201
        counts["here"].append(len(seen))
        with statements() as seen:
            assert place.manager("MOVE", "/Alpha.space/Moved", to="/Beta.space/Moved").status == 201
        counts["across"].append(len(seen))
        assert len(place.manager.names("/Beta.space/Moved")) == many
        assert place.manager("MOVE", "/Beta.space/Moved", to=FOLDER).status == 201
    assert counts["here"][0] == counts["here"][1], counts
    assert counts["across"][0] == counts["across"][1], counts


def test_of_two_first_saves_without_condition_both_count(place: Any) -> None:
    """The slower one finds a file where there was none, and gives it its bytes."""
    from atrio.kernel.context import Actor
    from atrio.plugins.accounts.api import get_user
    from atrio.plugins.webdav.drive import Drive

    user = place.kernel.run(lambda ctx: get_user(ctx, 1), writes=False)
    drive = Drive(place.kernel, Actor(1, "user", user))
    folder = drive.find(FOLDER)
    assert folder is not None
    for body in (b"first", b"second"):
        blob = place.kernel.blobs.begin()
        blob.write(body)
        blob.close(fsync=False)
        drive.put_new(folder, "race.txt", blob, "")
    made = place.scalar(NOW, f="race.txt")
    assert place.scalar(REVISIONS, c=made) == 2
    assert place.manager("GET", f"{FOLDER}/race.txt").body == b"second"


def test_a_save_that_is_tried_again_keeps_its_bytes(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.kernel.errors import RetryWork
    from atrio.plugins.webdav.services import saves

    real, tries = saves.save, []

    def once_more(*given: Any) -> Any:
        made = real(*given)
        tries.append(made)
        if len(tries) == 1:
            raise RetryWork
        return made

    monkeypatch.setattr(saves, "save", once_more)
    assert place.manager("PUT", f"{FOLDER}/again.txt", b"only once").status == 201
    assert len(tries) == 2
    assert place.manager("GET", f"{FOLDER}/again.txt").body == b"only once"
