"""What the drive shows and what each role may do on it (spec: webdav, §2–4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
ROLES = ("reader", "contributor", "manager", "boss", "user")
FILE, FOLDER = "/Alpha.space/file.txt", "/Alpha.space/Folder"
PROPERTY = (
    b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set></D:propertyupdate>'
)

MATRIX = {
    "list a space": (("PROPFIND", "/Alpha.space", None, {"depth": "1"}), (207, 207, 207, 207, 404)),
    "read a file": (("GET", FILE, None, {}), (200, 200, 200, 200, 404)),
    "save a new file": (("PUT", "/Alpha.space/new.txt", b"x", {}), (403, 201, 201, 201, 409)),
    "save a file": (("PUT", FILE, b"x", {}), (403, 204, 204, 204, 409)),
    "make a folder": (("MKCOL", "/Alpha.space/New", None, {}), (403, 403, 201, 201, 409)),
    "make a folder that is called like a space": (
        ("MKCOL", "/Alpha.space/x.space", None, {}), (403, 403, 201, 201, 409)
    ),
    "make a space": (("MKCOL", "/New.space", None, {}), (403, 403, 403, 403, 403)),
    "save a file at the top": (("PUT", "/a.txt", b"x", {}), (403, 403, 403, 403, 403)),
    "rename a file": (("MOVE", FILE, None, {"to": "/Alpha.space/b.txt"}), (403, 201, 201, 201, 404)),
    "rename a folder": (("MOVE", FOLDER, None, {"to": "/Alpha.space/Fold"}), (403, 201, 201, 201, 404)),
    "move a file": (("MOVE", FILE, None, {"to": f"{FOLDER}/file.txt"}), (403, 403, 201, 201, 404)),
    "copy a file": (("COPY", FILE, None, {"to": "/Alpha.space/c.txt"}), (403, 403, 201, 201, 404)),
    "copy a folder": (("COPY", FOLDER, None, {"to": "/Alpha.space/Copy"}), (403, 403, 201, 201, 404)),
    "delete a file": (("DELETE", FILE, None, {}), (403, 403, 204, 204, 404)),
    "delete a folder": (("DELETE", FOLDER, None, {}), (403, 403, 204, 204, 404)),
    "delete a space": (("DELETE", "/Alpha.space", None, {}), (403, 403, 403, 403, 404)),
    "rename a space": (("MOVE", "/Alpha.space", None, {"to": "/Beta.space"}), (403, 403, 403, 403, 404)),
    "copy a space": (("COPY", "/Alpha.space", None, {"to": "/Beta.space"}), (403, 403, 403, 403, 404)),
    "leave a property on a file": (("PROPPATCH", FILE, PROPERTY, {}), (403, 207, 207, 207, 404)),
    "leave a property on a space": (("PROPPATCH", "/Alpha.space", PROPERTY, {}), (403, 403, 403, 403, 404)),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_roles(place: Any, role: str) -> None:
    """Every act in one world: those that change nothing for the next come first, refusals change nothing."""
    person = place.people[role]
    number = ROLES.index(role)
    wrong = {}
    for act, ((method, path, body, headers), statuses) in MATRIX.items():
        before = place.facts() if statuses[number] >= 400 else None
        answer = person(method, path, body, **headers)
        if method == "PROPPATCH" and b"403 Forbidden" in answer.body:
            answer.status = 403  # told for each property
        if answer.status != statuses[number]:
            wrong[act] = (answer.status, answer.body)
        if before is not None and place.facts() != before:
            wrong[act + ", though refused"] = "changed something"
        if statuses[number] < 300 and method in ("MOVE", "DELETE"):
            _put_back(place, path)
    assert wrong == {}


def _put_back(place: Any, path: str) -> None:
    if path == FILE:
        assert place.boss("PUT", FILE, b"hello").status in (201, 204)
    else:
        assert place.boss("MKCOL", path).status in (201, 405)


@pytest.mark.parametrize(
    "method", ["PROPFIND", "GET", "PUT", "MKCOL", "LOCK", "PROPPATCH", "MOVE", "COPY", "DELETE"]
)
def test_nobody_passes_without_credentials(place: Any, method: str) -> None:
    before = place.facts()
    answer = place.stranger(method, FILE, b"x" if method == "PUT" else None, to=FOLDER + "/x")
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert place.facts() == before


def test_a_reader_of_the_target_cannot_copy_or_move_there(place: Any, make_space: Any) -> None:
    ids = place.world.ids
    other = make_space("Beta", members={ids["content-manager"]: "reader", ids["reader"]: "content-manager"})
    before = place.facts()
    for method in ("COPY", "MOVE"):
        for path in (FILE, FOLDER):
            assert place.manager(method, path, to="/Beta.space/x").status == 403
    assert place.facts() == before
    assert place.reader("COPY", FOLDER, to="/Beta.space/x").status == 201, "reads here, manages there"
    assert place.reader("MOVE", FOLDER, to="/Beta.space/y").status == 403
    assert place.scalar("SELECT count(*) FROM core_content_content WHERE space_id = :s", s=other) == 1


def test_what_replaces_needs_the_right_to_delete(place: Any) -> None:
    place.manager("PUT", "/Alpha.space/other.txt", b"other")
    assert place.contributor("MOVE", FILE, to="/Alpha.space/other.txt").status == 403
    assert place.manager("GET", "/Alpha.space/other.txt").body == b"other"


def test_missing_parents_and_things_in_the_way(place: Any) -> None:
    for method, path, status in (
        ("PUT", "/Alpha.space/none/a.txt", 409), ("MKCOL", "/Alpha.space/none/a", 409),
        ("PUT", FILE + "/a.txt", 409), ("MKCOL", FILE, 405), ("MKCOL", FOLDER, 405), ("PUT", FOLDER, 405),
        ("PUT", "/Alpha.space", 405), ("MKCOL", "/None.space/a", 409), ("GET", "/Alpha.space/none", 404),
        ("DELETE", "/Alpha.space/none", 404), ("DELETE", "/", 403), ("MKCOL", "/", 405),
    ):  # fmt: skip
        assert place.manager(method, path, b"x" if method == "PUT" else None).status == status, (method, path)
    for path in ("/Alpha.space/none/x", FILE + "/x", "/None.space/x"):
        assert place.manager("MOVE", FILE, to=path).status == 409
        assert place.manager("COPY", FILE, to=path).status == 409
    for path in ("/x", "/Beta.space"):
        assert place.manager("MOVE", FOLDER, to=path).status == 403
        assert place.manager("COPY", FOLDER, to=path).status == 403
    assert place.manager("MOVE", FOLDER, to=FOLDER + "/x").status == 403, "below itself"


# -- names ---------------------------------------------------------------------------------------------------


def test_characters_that_drives_refuse_both_ways(place: Any, make_content: Any) -> None:
    note = make_content(place.space, 'a/b\\c*d?e"f<g>h|i:j')
    shown = "a⧸b⧹c∗dʔeʺf❮g❯h∣i:j.document.html"
    assert shown in place.manager.names("/Alpha.space")
    assert place.manager("GET", f"/Alpha.space/{shown}").status == 200
    assert place.manager("MOVE", f"/Alpha.space/{shown}", to="/Alpha.space/plain.document.html").status == 201
    assert place.content(note["content_id"])["label"] == "plain"
    assert place.manager("PUT", "/Alpha.space/100% #1 &+;=.txt", b"x").status == 201
    assert "100% #1 &+;=.txt" in place.manager.names("/Alpha.space")


def test_composed_and_decomposed_letters_are_one_name(place: Any) -> None:
    assert place.manager("PUT", "/Alpha.space/e\u0301te\u0301.txt", b"decomposed").status == 201
    assert place.manager("PUT", "/Alpha.space/\u00e9t\u00e9.txt", b"composed").status == 204
    for name in ("e\u0301te\u0301.txt", "\u00e9t\u00e9.txt"):
        assert place.manager("GET", f"/Alpha.space/{name}").body == b"composed"


def test_spaces_with_one_label_are_all_reachable(place: Any, make_space: Any) -> None:
    members = {place.world.ids["content-manager"]: "content-manager"}
    for _ in range(2):
        made = make_space("Twin", members=members)
    names = place.manager.names("/")
    assert sorted(names) == ["Alpha.space", "Twin.space", f"Twin~{made}.space"]
    assert place.manager("PUT", f"/Twin~{made}.space/a.txt", b"second").status == 201
    assert place.manager.names("/Twin.space") == []
    assert place.manager("GET", f"/Twin~{made}.space/a.txt").body == b"second"


def test_subspaces_and_orphans(place: Any, make_space: Any) -> None:
    ids = place.world.ids
    child = make_space("Child", members={ids["content-manager"]: "reader"}, parent_id=place.space)
    make_space("Grand", members={ids["user"]: "reader", ids["content-manager"]: "reader"}, parent_id=child)
    assert "Child.space" in place.manager.names("/Alpha.space")
    assert place.manager.names("/Alpha.space/Child.space") == ["Grand.space"]
    assert place.people["user"].names("/") == ["Grand.space"], "its parents are not his"
    assert place.people["user"]("PROPFIND", "/Alpha.space/Child.space/Grand.space", depth="0").status == 404
    assert place.reader("GET", "/Alpha.space/Child.space/").status == 404


def test_a_space_hides_a_content_of_its_name(place: Any, make_space: Any) -> None:
    assert place.manager("MKCOL", "/Alpha.space/Child.space").status == 201
    make_space("Child", members={place.world.ids["content-manager"]: "reader"}, parent_id=place.space)
    assert place.manager.names("/Alpha.space").count("Child.space") == 1
    assert place.manager("DELETE", "/Alpha.space/Child.space").status == 403


def test_an_administrator_sees_what_he_is_a_member_of(place: Any) -> None:
    assert place.admin.names("/") == []
    assert place.admin("GET", FILE).status == 404


# -- kinds ---------------------------------------------------------------------------------------------------


def test_a_note_is_written_back_and_cleaned(place: Any, events: list[Any]) -> None:
    path = "/Alpha.space/Note.document.html"
    text = "<p>Größe</p><script>alert(1)</script>".encode()
    assert place.contributor("PUT", path, text).status == 204
    note = place.content(place.world.note)
    assert (note["label"], note["type"]) == ("Note", "html-document")
    assert "Größe" in note["raw_content"]
    assert "script" not in note["raw_content"]
    answer = place.reader("GET", path)
    assert answer.body.decode() == note["raw_content"]
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert [(e.name, e.change) for e in events if e.name.startswith("content.")] == [
        ("content.modified", "edition")
    ]
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_a_thread_is_read_and_not_written(place: Any, make_content: Any) -> None:
    thread = make_content(place.space, "Talk", "thread")["content_id"]
    path = "/Alpha.space/Talk.thread.html"
    assert place.reader("GET", path).status == 200
    for words in ("first", "second"):
        answer = place.world.people["contributor"].post(
            f"/api/workspaces/{place.space}/contents/{thread}/comments", {"raw_content": f"<p>{words}</p>"}
        )
        assert answer.status == 200
    answer = place.reader("GET", path)
    assert answer.body.index(b"second") < answer.body.index(b"first")
    assert b"contributor wrote:" in answer.body
    assert place.boss("PUT", path, b"x").status == 403
    assert place.reader("GET", path).body == answer.body
    assert b"getcontentlength" not in place.reader("PROPFIND", "/Alpha.space", depth="1").body.split(b"Talk")[2]


def test_a_board_there_and_back(place: Any, make_content: Any) -> None:
    board = make_content(place.space, "Plan", "kanban")["content_id"]
    path = "/Alpha.space/Plan.kanban"
    assert "Plan.kanban" in place.reader.names("/Alpha.space"), "one never saved does not break the listing"
    assert place.reader("GET", path).status == 200
    data = json.dumps({"columns": [{"id": 1, "title": "ä", "cards": []}]}).encode()
    assert place.contributor("PUT", path, data).status == 204
    assert place.reader("GET", path).body == data
    raw = place.world.people["reader"].get(f"/api/workspaces/{place.space}/files/{board}/raw/Plan.kanban")
    assert raw.body == data
    assert place.content(board)["type"] == "kanban"


def test_types_keep_their_ending(place: Any) -> None:
    path = "/Alpha.space/Note.document.html"
    assert place.manager("MOVE", path, to="/Alpha.space/Note.txt").status == 403
    assert place.manager("MOVE", path, to="/Alpha.space/.document.html").status == 403
    assert place.manager("MOVE", path, to="/Alpha.space/Other.document.html").status == 201


def test_closed_contents_are_read_only(place: Any) -> None:
    status = f"/api/workspaces/{place.space}/files/{place.world.file}/status"
    assert place.world.people["workspace-manager"].put(status, {"status": "closed-validated"}).status == 204
    before = place.facts()
    assert place.manager("GET", FILE).status == 200
    assert place.manager("PUT", FILE, b"x").status == 403
    assert place.manager("MOVE", FILE, to="/Alpha.space/b.txt").status == 403
    assert place.facts() == before


def test_deleting_is_the_trash(place: Any, events: list[Any]) -> None:
    assert place.manager("PUT", f"{FOLDER}/below.txt", b"x").status == 201
    events.clear()
    assert place.manager("DELETE", FOLDER).status == 204
    assert [e.name for e in events if e.name.startswith("content.")] == ["content.trashed"]
    assert place.manager("GET", f"{FOLDER}/below.txt").status == 404
    assert place.content(place.world.folder)["trashed_at"] is not None
    act = f"/api/workspaces/{place.space}/contents/{place.world.folder}/trashed/restore"
    assert place.world.people["content-manager"].put(act).status == 204
    assert place.manager("GET", f"{FOLDER}/below.txt").body == b"x"
