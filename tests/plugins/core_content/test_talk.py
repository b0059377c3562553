"""Comments and to-dos."""

from __future__ import annotations

from typing import Any

import pytest

COMMENT_FIELDS = {
    "content_id", "content_type", "parent_id", "parent_label", "parent_content_type", "parent_content_namespace",
    "raw_content", "description", "author", "last_modifier", "created", "modified",
}  # fmt: skip
TODO_FIELDS = {"content_id", "parent", "raw_content", "author", "assignee", "created", "status", "workspace"}


def test_a_conversation(place: Any, events: list[Any]) -> None:
    writer = place.people["contributor"]
    thread = place.make("Talk", "thread")
    first = place.comment(thread, "<p>One</p>")
    second = place.comment(thread, "<p>Two</p>", writer)
    answer = place.comment(first["content_id"], "<p>An answer to one</p>", writer)
    assert set(first) == COMMENT_FIELDS
    assert (first["parent_id"], first["parent_label"], first["parent_content_type"]) == (thread, "Talk", "thread")
    assert (first["content_type"], first["parent_content_namespace"]) == ("comment", "content")
    assert (second["author"]["user_id"], second["last_modifier"]["user_id"]) == (writer.user_id, writer.user_id)
    page = place.people["reader"].get(f"{place.base}/contents/{thread}/comments").json
    assert [c["raw_content"] for c in page["items"]] == ["<p>One</p>", "<p>Two</p>"]
    assert (page["per_page"], page["has_next"]) == (2, False)
    below = place.root.get(f"{place.base}/contents/{first['content_id']}/comments").json["items"]
    assert [c["content_id"] for c in below] == [answer["content_id"]]
    assert place.get(thread, "thread")["version_number"] == 1, "a comment does not touch its content"
    assert [(e.name, e.content_type, e.parent_id) for e in events[1:]] == [
        ("content.created", "comment", thread), ("content.created", "comment", thread),
        ("content.created", "comment", first["content_id"]),
    ]  # fmt: skip


def test_pages_of_comments(place: Any) -> None:
    note = place.make()
    for n in range(7):
        place.comment(note, f"<p>{n}</p>")
    path = f"{place.base}/contents/{note}/comments"
    for sort, expected in (("created:asc", "0123456"), ("created:desc", "6543210"), ("label:asc", "0123456")):
        seen, token = "", ""
        for _ in range(4):
            page = place.root.get(f"{path}?count=3&sort={sort}&page_token={token}").json
            seen += "".join(c["raw_content"][3] for c in page["items"])
            token = page["next_page_token"]
            if not page["has_next"]:
                break
        assert seen == expected
    assert place.root.get(f"{path}?page_token=nonsense").code == 2001
    assert place.root.get(f"{path}?sort=size:asc").code == 2001
    assert place.root.get(f"{path}?count=-1").code == 2001


@pytest.mark.parametrize(
    "text",
    ["", "   ", "<p></p>", "<p>&nbsp;</p>", "<br><br>", "<script>alert(1)</script>", "<div> </div>", "<!-- x -->"],
)
def test_nothing_to_see_is_no_comment(place: Any, text: str) -> None:
    note = place.make()
    answer = place.root.post(f"{place.base}/contents/{note}/comments", {"raw_content": text})
    assert answer.status == 400
    assert answer.code == (2003 if text.strip() else 2001)
    comment = place.comment(note)
    answer = place.root.put(
        f"{place.base}/contents/{note}/comments/{comment['content_id']}", {"raw_content": text}
    )
    assert answer.code == (2003 if text.strip() else 2001)


@pytest.mark.parametrize("text", ['<p><img src="a.png"></p>', "<video controls></video>", "x"])
def test_a_picture_is_enough(place: Any, text: str) -> None:
    assert place.comment(place.make(), text)["raw_content"]


def test_comments_are_cleaned_when_made_and_when_changed(place: Any) -> None:
    note = place.make()
    dirty = '<p onclick="x()">a<script>alert(1)</script></p>'
    comment = place.comment(note, dirty)
    assert comment["raw_content"] == "<p>a</p>"
    path = f"{place.base}/contents/{note}/comments/{comment['content_id']}"
    changed = place.root.put(path, {"raw_content": dirty.replace("a<", "b<")})
    assert (changed.status, changed.json["raw_content"]) == (200, "<p>b</p>")
    assert "etag" not in changed.headers


def test_where_nothing_can_be_said(place: Any) -> None:
    folder, note = place.make("F", "folder"), place.make()
    body = {"raw_content": "x"}
    assert place.root.post(f"{place.base}/contents/{folder}/comments", body).code == 2038
    assert (
        place.root.put(f"{place.base}/html-documents/{note}/status", {"status": "closed-validated"}).status == 204
    )
    assert place.root.post(f"{place.base}/contents/{note}/comments", body).code == 2044
    assert place.root.post(f"{place.base}/contents/999/comments", body).code == 1003
    assert place.root.post(f"{place.base}/contents/x/comments", body).code == 2023
    assert place.root.get(f"{place.base}/contents/{note}/comments/x").code == 2024
    assert place.root.get(f"{place.base}/contents/{note}/comments/999").code == 1003


def test_editing_and_deleting(place: Any, events: list[Any]) -> None:
    author, other, manager = (place.people[r] for r in ("contributor", "content-manager", "workspace-manager"))
    note = place.make()
    comment = place.comment(note, "<p>mine</p>", author)
    path = f"{place.base}/contents/{note}/comments/{comment['content_id']}"
    for role, code in (("outsider", 1002), ("reader", 4003), ("content-manager", 4003)):
        assert place.people[role].put(path, {"raw_content": "x"}).code == code
        assert place.people[role].delete(path).code == code
    assert author.put(path, {"raw_content": "<p>mine, better</p>"}).json["raw_content"] == "<p>mine, better</p>"
    edited = manager.put(path, {"raw_content": "<p>managed</p>"}).json
    assert edited["author"]["user_id"] == author.user_id
    assert edited["last_modifier"]["user_id"] == manager.user_id
    tag = author.get(path).headers["etag"]
    assert author.get(path, headers={"if-none-match": tag}).status == 304
    assert author.put(path, {"raw_content": "late"}, headers={"if-match": '"1"'}).status == 412
    assert other.put(f"{place.base}/contents/{note}/comments/999", {"raw_content": "x"}).code == 4003
    assert manager.put(f"{place.base}/contents/{note}/comments/999", {"raw_content": "x"}).code == 1003
    assert author.delete(path).status == 204
    assert author.get(path).json["raw_content"] == "<p>managed</p>", "a deleted one is still answered by its id"
    assert author.get(f"{place.base}/contents/{note}/comments").json["items"] == []
    assert author.delete(path).status == 204
    assert author.put(path, {"raw_content": "x"}).code == 2044
    assert [e.name for e in events[2:]] == ["content.modified", "content.modified", "content.trashed"]


def test_who_lost_the_role_edits_no_more(place: Any) -> None:
    author = place.people["contributor"]
    note = place.make()
    path = f"{place.base}/contents/{note}/comments/{place.comment(note, who=author)['content_id']}"
    assert place.root.put(f"{place.base}/members/{author.user_id}", {"role": "reader"}).status == 200
    assert author.put(path, {"raw_content": "x"}).code == 4003
    assert author.delete(path).code == 4003


def test_a_comment_of_another_content_is_not_found_here(place: Any) -> None:
    one, two = place.make("one"), place.make("two")
    comment = place.comment(one)["content_id"]
    for method in ("GET", "PUT", "DELETE"):
        body = {"raw_content": "x"} if method == "PUT" else None
        answer = place.root.request(method, f"{place.base}/contents/{two}/comments/{comment}", json_body=body)
        assert answer.code == 1003, method


# -- to-dos ------------------------------------------------------------------------------------------------


def test_a_todo_from_start_to_end(place: Any, events: list[Any]) -> None:
    reader = place.people["reader"]
    note = place.make("Plan")
    todo = place.todo(note, "<p>write</p><script>x</script>", reader.user_id)
    assert set(todo) == TODO_FIELDS
    assert todo["parent"] == {"content_id": note, "content_type": "html-document", "label": "Plan", "slug": "plan"}
    assert todo["workspace"] == {"workspace_id": place.space, "label": "Alpha"}
    assert (todo["raw_content"], todo["status"]) == ("<p>write</p>", "open")
    assert todo["assignee"]["user_id"] == reader.user_id
    path = f"{place.base}/contents/{note}/todos/{todo['content_id']}"
    assert reader.put(path, {"status": "closed-validated"}).status == 204, "an assignee may, as a reader"
    assert reader.put(path, {"status": "closed-validated"}).status == 204, "and the same status again"
    assert reader.get(path).json["status"] == "closed-validated"
    assert reader.put(path, {"status": "later"}).code == 2001
    assert reader.delete(path).code == 4003
    assert place.root.delete(path).status == 204
    assert place.root.delete(path).code == 1026
    assert place.root.put(path, {"status": "open"}).code == 1026
    assert place.root.get(path).status == 200
    assert place.root.get(f"{place.base}/contents/{note}/todos").json == []
    assert [e.name for e in events[1:]] == ["content.created", "content.modified", "content.trashed"]


def test_nobody_has_to_do_it(place: Any) -> None:
    note = place.make()
    answer = place.root.post(f"{place.base}/contents/{note}/todos", {"raw_content": ""})
    assert answer.status == 200
    assert answer.json["assignee"] == {
        "user_id": None, "username": None, "public_name": None, "has_avatar": True, "has_cover": False,
        "is_active": None,
    }  # fmt: skip
    assert place.root.post(f"{place.base}/contents/{note}/todos", {"assignee_id": None}).code == 2001
    assert (
        place.root.post(f"{place.base}/contents/{note}/todos", {"raw_content": "x", "assignee_id": 999}).code
        == 1001
    )


def test_who_may_with_todos(place: Any) -> None:
    author = place.people["contributor"]
    note = place.make()
    own = place.todo(note, who=author)["content_id"]
    foreign = place.todo(note)["content_id"]
    path = f"{place.base}/contents/{note}/todos"
    for role, code in (("outsider", 1002), ("reader", 4003)):
        person = place.people[role]
        assert person.post(path, {"raw_content": "x"}).code == code
        assert person.put(f"{path}/{own}", {"status": "closed-validated"}).code == code
        assert person.delete(f"{path}/{own}").code == code
    assert author.put(f"{path}/{foreign}", {"status": "closed-validated"}).code == 4003
    assert author.put(f"{path}/999", {"status": "closed-validated"}).code == 4003
    assert place.root.put(f"{path}/999", {"status": "closed-validated"}).code == 1003
    assert author.put(f"{path}/{own}", {"status": "closed-validated"}).status == 204
    assert author.delete(f"{path}/{own}").status == 204
    assert place.people["content-manager"].delete(f"{path}/{foreign}").status == 204


def test_todos_stay_possible_on_closed_contents(place: Any) -> None:
    note = place.make()
    assert (
        place.root.put(f"{place.base}/html-documents/{note}/status", {"status": "closed-validated"}).status == 204
    )
    assert place.todo(note)["status"] == "open"
    comment_parent = place.make("other")
    comment = place.comment(comment_parent)["content_id"]
    assert place.root.post(f"{place.base}/contents/{comment}/todos", {"raw_content": "x"}).code == 2038


def test_the_todos_of_a_person_as_far_as_the_asker_may_see(place: Any, make_space: Any) -> None:
    reader, outsider = place.people["reader"], place.people["outsider"]
    other = make_space("Beta", {outsider.user_id: "reader"})
    note = place.make()
    elsewhere = place.root.post(f"/api/workspaces/{other}/contents", {"label": "n", "content_type": "thread"}).json
    place.todo(note, "here", reader.user_id)
    body = {"raw_content": "there", "assignee_id": reader.user_id}
    assert place.root.post(f"/api/workspaces/{other}/contents/{elsewhere['content_id']}/todos", body).status == 200
    path = f"/api/users/{reader.user_id}/todos"
    assert [t["raw_content"] for t in place.root.get(path).json] == ["here", "there"]
    assert [t["raw_content"] for t in reader.get(path).json] == ["here"]
    assert [t["raw_content"] for t in outsider.get(path).json] == ["there"]
    assert place.act(note, "trashed").status == 204
    assert reader.get(path).json == []
