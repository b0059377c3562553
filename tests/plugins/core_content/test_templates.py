"""Templates, known contents, paths, redirects, restore of a revision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.core_content.counting import beside_sign_in


def test_a_template_and_what_is_made_from_it(place: Any, events: list[Any], make_space: Any) -> None:
    writer = place.people["contributor"]
    note = place.make("Agenda")
    assert place.root.put(f"{place.base}/html-documents/{note}", {"raw_content": "<p>1</p>"}).status == 200
    place.todo(note, "first", writer.user_id)
    gone = place.todo(note, "gone")["content_id"]
    assert place.root.delete(f"{place.base}/contents/{note}/todos/{gone}").status == 204
    flag = f"{place.base}/contents/{note}/template"
    assert place.people["reader"].put(flag, {"is_template": True}).code == 4003
    assert writer.put(flag, {"is_template": True}).status == 204
    assert writer.put(flag, {}).code == 2001
    assert writer.get(f"{place.base}/html-documents/{note}").json["is_template"] is True
    listed = writer.get(f"/api/users/{writer.user_id}/template_contents?type=html-document").json
    assert [t["content_id"] for t in listed] == [note]
    assert set(listed[0]) == {
        "content_id", "workspace_id", "parent_id", "label", "file_extension", "status", "author", "created",
        "content_namespace", "is_archived", "is_deleted", "is_template", "is_editable", "assignee_id",
    }  # fmt: skip
    assert writer.get(f"/api/users/{writer.user_id}/template_contents?type=thread").json == []
    assert writer.get(f"/api/users/{writer.user_id}/template_contents").code == 2001
    other = make_space("Beta", {writer.user_id: "contributor"})
    body = {"label": "Monday", "content_type": "html-document", "template_id": note}
    made = writer.post(f"/api/workspaces/{other}/contents", body)
    assert made.status == 200, made.body
    assert (made.json["current_revision_type"], made.json["is_template"]) == ("copy", False)
    copy = made.json["content_id"]
    shown = writer.get(f"/api/workspaces/{other}/html-documents/{copy}").json
    assert (shown["label"], shown["raw_content"], shown["version_number"]) == ("Monday", "<p>1</p>", 1)
    todos = writer.get(f"/api/workspaces/{other}/contents/{copy}/todos").json
    assert [(t["raw_content"], t["assignee"]["user_id"]) for t in todos] == [("first", writer.user_id)]
    assert todos[0]["parent"]["content_id"] == copy
    copied = [e for e in events if e.name == "content.copied"]
    assert [(e.content_id, e.source_id) for e in copied] == [(copy, note)]
    assert writer.put(flag, {"is_template": False}).status == 204
    kinds = [r["revision_type"] for r in writer.get(f"{place.base}/html-documents/{note}/revisions").json["items"]]
    assert kinds == ["creation", "edition", "mark-as-template", "unmark-as-template"]


def test_templates_that_cannot_be_used(place: Any, make_space: Any) -> None:
    writer = place.people["contributor"]
    hidden = make_space("Hidden")
    secret = place.root.post(
        f"/api/workspaces/{hidden}/contents", {"label": "s", "content_type": "html-document"}
    ).json["content_id"]
    thread, gone = place.make("t", "thread"), place.make("gone")
    assert place.act(gone, "trashed").status == 204
    for template, code in ((secret, 1003), (thread, 2031), (gone, 1003), (999, 1003), (0, 2001), ("x", 2001)):
        body = {"label": "n", "content_type": "html-document", "template_id": template}
        assert writer.post(f"{place.base}/contents", body).code == code, template


def test_a_file_from_a_template_has_its_bytes(place: Any) -> None:
    board = place.make("Board", "kanban")
    path = f"{place.base}/files/{board}/raw/Board.kanban"
    assert place.upload(place.root, path, "Board.kanban", b'{"columns":[]}', method="PUT").status == 204
    made = place.make("Next", "kanban", template_id=board)
    assert place.root.get(f"{place.base}/files/{made}/raw/x").body == b'{"columns":[]}'
    assert place.get(made, "kanban")["filename"] == "Next.kanban"


def test_copying_many_todos_costs_the_same(place: Any, statements: Any) -> None:
    costs = []
    for size in (2, 30):
        note = place.make(f"n{size}")
        for n in range(size):
            place.todo(note, str(n))
        with statements() as seen:
            copy = place.make(f"c{size}", template_id=note)
        costs.append(beside_sign_in(seen))
        todos = place.root.get(f"{place.base}/contents/{copy}/todos").json
        assert [t["raw_content"] for t in todos] == [str(n) for n in range(size)]
    assert costs[0] == costs[1] <= 21  # three of them are the search: text, vocabulary, to-dos to come


def test_known_contents(place: Any, make_space: Any) -> None:
    reader = place.people["reader"]
    make_space("Hidden")
    notes = [place.make(f"Éclair {n}") for n in range(3)]
    place.comment(notes[0], "éclair")
    percent = place.make("100% sure")
    path = f"/api/users/{reader.user_id}/known_contents"
    assert [c["content_id"] for c in reader.get(f"{path}?acp=CLAIR").json] == notes
    assert [c["content_id"] for c in reader.get(f"{path}?acp=clair&limit=2").json] == notes[:2]
    assert [c["content_id"] for c in reader.get(f"{path}?acp=%25").json] == [percent]
    assert notes[1] in [c["content_id"] for c in reader.get(f"{path}?acp={notes[1]}").json]
    assert place.act(notes[0], "trashed").status == 204
    assert [c["content_id"] for c in reader.get(f"{path}?acp=clair").json] == notes[1:]
    for query in ("", "acp=", "acp=a&limit=0", "acp=a&limit=x"):
        assert reader.get(f"{path}?{query}").code == 2001
    outsider = place.people["outsider"]
    assert outsider.get(f"/api/users/{outsider.user_id}/known_contents?acp=clair").json == []
    assert outsider.get(f"{path}?acp=clair").code == 4002


def test_the_way_to_a_content(place: Any) -> None:
    folder = place.make("F", "folder")
    note = place.make("Note", parent=folder)
    answer = place.people["reader"].get(f"/api/contents/{note}/path")
    assert answer.json == {
        "items": [
            {"content_id": folder, "label": "F", "slug": "f", "content_type": "folder"},
            {"content_id": note, "label": "Note", "slug": "note", "content_type": "html-document"},
        ]
    }
    redirected = place.root.get(f"{place.base}/contents/{note}/path")
    assert (redirected.status, redirected.headers["location"]) == (302, f"/api/contents/{note}/path")
    assert place.people["outsider"].get(f"/api/contents/{note}/path").code == 1003
    assert place.root.get("/api/contents/undefined/path").code == 2023
    assert place.root.get("/api/contents/999/path").code == 1003


def test_redirects_to_the_routes_of_the_type(place: Any) -> None:
    note = place.make("n")
    comment, todo = place.comment(note)["content_id"], place.todo(note)["content_id"]
    expected = {
        note: f"{place.base}/html-documents/{note}", comment: f"{place.base}/contents/{note}/comments/{comment}",
        todo: f"{place.base}/contents/{note}/todos/{todo}",
    }  # fmt: skip
    for kind, segment in (
        ("thread", "threads"), ("folder", "folders"), ("kanban", "files"), ("logbook", "files"), ("file", "files")
    ):  # fmt: skip
        made = place.make(kind, kind)
        expected[made] = f"{place.base}/{segment}/{made}"
    for content, target in expected.items():
        for path in (f"/api/contents/{content}", f"{place.base}/contents/{content}"):
            answer = place.people["reader"].get(path)
            assert (answer.status, answer.headers["location"]) == (302, target)
            assert place.root.get(target).status == 200
        assert place.people["outsider"].get(f"/api/contents/{content}").code == 1003, "nothing is told to others"
        assert place.people["outsider"].get(f"{place.base}/contents/{content}").code == 1002
    assert place.root.get("/api/contents/x").code == 2023


def test_an_administrator_who_is_no_member_learns_nothing(place: Any, as_actor: Any) -> None:
    root = as_actor("root", profile="administrators")
    note = place.make()
    assert root.get(f"/api/contents/{note}").code == 1003
    assert root.get(f"/api/contents/{note}/path").code == 1003
    assert root.get(f"{place.base}/contents/{note}").code == 4003


def test_an_old_revision_comes_back_as_a_new_one(place: Any, send_file: Any) -> None:
    note = place.make("First")
    path = f"{place.base}/html-documents/{note}"
    for body in ({"raw_content": "<p>1</p>"}, {"label": "Second", "raw_content": "<p>2</p>"}):
        assert place.root.put(path, body).status == 200
    revisions = place.root.get(f"{path}/revisions").json["items"]
    old, current = revisions[1]["revision_id"], revisions[2]["revision_id"]
    restore = f"{place.base}/contents/{note}/revisions"
    assert place.people["reader"].put(f"{restore}/{old}/restored", {}).code == 4003
    assert place.root.put(f"{restore}/{current}/restored", {}).code == 2041
    assert place.root.put(f"{restore}/{old}/restored", {}, headers={"if-match": f'"{old}"'}).status == 412
    answer = place.root.put(f"{restore}/{old}/restored", {})
    assert (answer.status, answer.json["label"]) == (200, "First")
    shown = place.root.get(path).json
    assert (shown["raw_content"], shown["version_number"]) == ("<p>1</p>", 4)
    place.make("Second")
    assert place.root.put(f"{restore}/{current}/restored", {}).code == 3002, "another has the name meanwhile"
    file = place.file("a.txt", b"one")
    first = place.get(file, "file")["current_revision_id"]
    raw = f"{place.base}/files/{file}/raw/a.txt"
    assert send_file(place.root, raw, "a.txt", b"two!", method="PUT").status == 204
    assert place.root.put(f"{place.base}/contents/{file}/revisions/{first}/restored", {}).status == 200
    assert place.root.get(raw).body == b"one"
    assert place.get(file, "file")["size"] == 3
    assert place.root.put(f"{place.base}/contents/{file}/revisions/{old}/restored", {}).status == 400


@pytest.mark.parametrize("name", ["x", "0", "-1", "99999999999999999999"])
def test_revisions_that_are_none(place: Any, name: str) -> None:
    note = place.make()
    answer = place.root.put(f"{place.base}/contents/{note}/revisions/{name}/restored", {})
    assert (answer.status, answer.code) == (400, 2001)
