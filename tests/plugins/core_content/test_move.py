"""Moves, inside a space and to another, with everything below."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.core_content.counting import beside_sign_in


def test_into_a_folder_and_back(place: Any, events: list[Any]) -> None:
    folder, note = place.make("F", "folder"), place.make("Note")
    moved = place.move(note, folder)
    assert moved.status == 200
    assert (moved.json["parent_id"], moved.json["current_revision_type"]) == (folder, "move")
    assert place.labels(f"parent_ids={folder}") == ["Note"]
    assert place.move(note, 0).json["parent_id"] is None
    assert place.move(note, None).status == 200, "the same place is accepted"
    assert place.get(note)["version_number"] == 4
    assert [(e.name, e.from_space_id) for e in events[2:]] == [("content.moved", place.space)] * 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 2012),
        ({"new_parent_id": 1}, 2012),
        ({"new_parent_id": 1, "new_workspace_id": None}, 2012),
        ({"new_parent_id": 1, "new_workspace_id": "x"}, 2022),
        ({"new_parent_id": 1, "new_workspace_id": True}, 2022),
        ({"new_parent_id": None, "new_workspace_id": 99}, 1002),
        ({"new_workspace_id": "here"}, 2001),
        ({"new_parent_id": "x", "new_workspace_id": "here"}, 2001),
        ({"new_parent_id": -1, "new_workspace_id": "here"}, 2001),
        ({"new_parent_id": 999, "new_workspace_id": "here"}, 1003),
    ],
)
def test_wrong_requests(place: Any, body: dict[str, Any], code: int) -> None:
    note = place.make()
    body = {k: place.space if v == "here" else v for k, v in body.items()}
    answer = place.root.put(f"{place.base}/contents/{note}/move", body)
    assert (answer.status, answer.code) == (400, code), answer.body


def test_what_cannot_be(place: Any, make_space: Any) -> None:
    other = make_space("Beta")
    elsewhere = place.root.post(
        f"/api/workspaces/{other}/contents", {"label": "F", "content_type": "folder"}
    ).json["content_id"]
    folder = place.make("F", "folder")
    child = place.make("C", "folder", folder)
    note = place.make("Note")
    place.make("Note", parent=folder)
    picky = place.make("P", "folder")
    body = {"sub_content_types": ["file"]}
    assert place.root.put(f"{place.base}/folders/{picky}", body).status == 200
    gone = place.make("G", "folder")
    assert place.act(gone, "trashed").status == 204
    comment = place.comment(note)["content_id"]
    todo = place.todo(note)["content_id"]
    said = place.comment(place.make("Talked about"))["content_id"]
    for content, parent, space, code in (
        (folder, folder, None, 3009), (folder, child, None, 3010), (note, folder, None, 3002),
        (note, picky, None, 2038), (note, elsewhere, None, 2032), (note, gone, None, 1003),
        (comment, None, None, 2031), (todo, None, other, 2031), (note, said, None, 2038),
    ):  # fmt: skip
        answer = place.move(content, parent, space)
        assert (answer.status, answer.code) == (400, code), (content, parent, answer.body)


def test_to_another_space_with_everything_below(place: Any, make_space: Any, kernel: Any) -> None:
    other = make_space("Beta", {place.people["reader"].user_id: "reader"})
    folder = place.make("F", "folder")
    inner = place.make("Inner", "folder", folder)
    note = place.make("Deep", parent=inner)
    comment, todo = place.comment(note), place.todo(note, assignee=place.people["reader"].user_id)
    gone = place.make("Gone", parent=inner)
    assert place.act(gone, "trashed").status == 204
    assert place.root.put(f"{place.base}/html-documents/{note}", {"raw_content": "<p>text</p>"}).status == 200
    moved = place.move(folder, None, other)
    assert (moved.status, moved.json["workspace_id"]) == (200, other)
    there = f"/api/workspaces/{other}"
    assert place.root.get(f"{place.base}/html-documents/{note}").code == 1003
    shown = place.root.get(f"{there}/html-documents/{note}").json
    assert (shown["raw_content"], shown["parent_id"], shown["version_number"]) == ("<p>text</p>", inner, 3)
    assert shown["current_revision_type"] == "move"
    revisions = place.root.get(f"{there}/html-documents/{note}/revisions").json["items"]
    assert [r["version_number"] for r in revisions] == [1, 2, 3]
    assert revisions[-1]["revision_id"] == shown["current_revision_id"]
    reader = place.people["reader"]
    assert reader.get(f"{there}/contents/{note}/comments").json["items"][0]["content_id"] == comment["content_id"]
    assert reader.get(f"{there}/contents/{note}/todos").json[0]["content_id"] == todo["content_id"]
    assert reader.get(f"{there}/contents?parent_ids={inner}").json["items"][0]["label"] == "Deep"
    assert place.root.get(f"{there}/html-documents/{gone}").json["is_deleted"] is True
    assert place.root.put(f"{there}/contents/{gone}/trashed/restore", {}).status == 204


def test_a_move_leaves_what_others_have_read(place: Any, make_space: Any) -> None:
    reader = place.people["reader"]
    other = make_space("Beta", {reader.user_id: "reader"})
    folder = place.make("F", "folder")
    read, unread = place.make("read", parent=folder), place.make("unread", parent=folder)
    base = f"/api/users/{reader.user_id}/workspaces"
    assert reader.put(f"{base}/{place.space}/contents/{read}/read", {}).status == 204
    assert place.move(folder, None, other).status == 200
    flags = {r["content_id"]: r["read_by_user"] for r in reader.get(f"{base}/{other}/contents/read_status").json}
    assert (flags[read], flags[unread]) == (True, False)


def test_rights_are_asked_on_both_sides(place: Any, make_space: Any) -> None:
    manager = place.people["content-manager"]
    note = place.make()
    for role, expected in (("contributor", 4003), ("reader", 4003), ("outsider", 1002)):
        assert place.move(note, None, who=place.people[role]).code == expected
    hidden = make_space("Hidden")
    assert place.move(note, None, hidden, manager).code == 1002
    low = make_space("Low", {manager.user_id: "contributor"})
    assert place.move(note, None, low, manager).code == 4003
    high = make_space("High", {manager.user_id: "content-manager"})
    assert place.move(note, None, high, manager).status == 200


def test_trees_cost_the_same_whatever_their_size(place: Any, make_space: Any, statements: Any) -> None:
    costs = []
    for size in (2, 60):
        target = make_space(f"T{size}")
        folder = place.make(f"Folder {size}", "folder")
        for n in range(size):
            place.make(f"n{n}", parent=folder)
        with statements() as seen:
            assert place.move(folder, None, target).status == 200
        costs.append(beside_sign_in(seen))
    assert costs[0] == costs[1] <= 25


def test_threads_go_to_the_news_and_back(place: Any) -> None:
    folder = place.make("F", "folder")
    thread = place.make("T", "thread", folder)
    comment = place.comment(thread)
    path = f"{place.base}/threads/{thread}/namespace"
    for role, code in (("reader", 4003), ("contributor", 4003)):
        assert place.people[role].put(path, {"content_namespace": "publication"}).code == code
    assert place.people["content-manager"].put(path, {"content_namespace": "publication"}).status == 204
    shown = place.get(thread, "thread")
    assert (shown["content_namespace"], shown["parent_id"]) == ("publication", None)
    assert place.labels() == ["F"]
    assert place.labels("namespaces_filter=publication") == ["", "T"]
    one = place.root.get(f"{place.base}/contents/{thread}/comments/{comment['content_id']}").json
    assert one["parent_content_namespace"] == "publication"
    assert place.root.put(path, {"content_namespace": "upload"}).code == 2060
    assert place.root.put(path, {"content_namespace": "elsewhere"}).code == 2001
    assert place.root.put(path, {"content_namespace": "content"}).status == 204
    assert place.get(thread, "thread")["parent_id"] is None
    note = place.make("N")
    assert place.root.put(f"{place.base}/threads/{note}/namespace", {"content_namespace": "content"}).code == 2031
