"""What is told of contents of every type: created, modified, deleted, undeleted, copied."""

from __future__ import annotations

from typing import Any

import pytest

SEGMENT = {
    "html-document": "html-documents", "thread": "threads", "folder": "folders", "file": "files",
    "kanban": "files", "logbook": "files",
}  # fmt: skip


def state(told: Any) -> tuple[str, str]:
    """Return the type of the event and of the revision that it tells."""
    return told.event_type, told.fields["content"]["current_revision_type"]


@pytest.mark.parametrize("kind", SEGMENT)
def test_the_life_of_a_content(cast: Any, log: Any, kind: str) -> None:
    """Members get everything; administrators who are none, disabled members and strangers nothing."""
    content = cast.make(kind, "First")
    told = log.alone(f"content.created.{kind}", cast.members)
    assert told.fields["workspace"]["workspace_id"] == cast.space
    assert told.fields["content"]["content_id"] == content
    one, act = f"{cast.base}/{SEGMENT[kind]}/{content}", f"{cast.base}/contents/{content}"
    who = "content-manager"
    for method, path, body, expected in (
        ("PUT", one, {"label": "Second"}, "modified edition"),
        ("PUT", f"{one}/status", {"status": "closed-validated"}, "modified status-update"),
        ("PUT", f"{one}/status", {"status": "open"}, "modified status-update"),
        ("PUT", f"{act}/archived", {}, "modified archiving"),
        ("PUT", f"{act}/archived/restore", {}, "modified unarchiving"),
        ("PUT", f"{act}/trashed", {}, "deleted deletion"),
        ("PUT", f"{act}/trashed/restore", {}, "undeleted undeletion"),
    ):  # fmt: skip
        cast.ok(method, path, body, who)
        operation, revision = expected.split()
        told = log.alone(f"content.{operation}.{kind}", cast.members)
        content_told = told.fields["content"]
        assert state(told) == (f"content.{operation}.{kind}", revision), (method, path)
        assert content_told["last_modifier"]["user_id"] == told.author == cast.ids[who]
        assert content_told["author"]["user_id"] == 1
        assert content_told["is_deleted"] is (revision == "deletion")
        assert content_told["is_archived"] is (revision == "archiving")
        assert content_told["label"].startswith("Second")
        assert (told.row.space_id, told.row.content_id, told.row.parent_id) == (cast.space, content, None)


def test_an_event_shows_what_the_content_is_after_it(cast: Any, log: Any) -> None:
    note = cast.make()
    log.news()
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": "<p>new</p>", "description": "d"})
    told = log.one().fields["content"]
    shown = cast.ok("GET", f"{cast.base}/html-documents/{note}")
    assert told == {key: value for key, value in shown.items() if key != "raw_content"}


def test_an_upload_is_created_and_then_modified(cast: Any, log: Any) -> None:
    file = cast.file("report.txt")
    created, modified = log.news()
    assert (created.event_type, modified.event_type) == ("content.created.file", "content.modified.file")
    assert created.receivers == modified.receivers == cast.members
    assert modified.event_id == created.event_id + 1
    content = modified.fields["content"]
    assert (content["filename"], content["size"], content["mimetype"]) == ("report.txt", 5, "text/plain")
    raw = f"{cast.base}/files/{file}/raw/report.txt"
    cast.ok("PUT", raw, files={"files": ("report.txt", b"more bytes", "text/plain")})
    told = log.alone("content.modified.file", cast.members)
    assert (told.fields["content"]["size"], told.fields["content"]["version_number"]) == (10, 2)


def test_a_kanban_gets_its_bytes(cast: Any, log: Any) -> None:
    board = cast.make("kanban", "Board")
    told = log.alone("content.created.kanban", cast.members)
    cast.ok(
        "PUT", f"{cast.base}/files/{board}/raw/Board.kanban", files={"files": ("b", b"{}", "application/json")}
    )
    told = log.alone("content.modified.kanban", cast.members)
    assert told.fields["content"]["content_id"] == board


def test_comments(cast: Any, log: Any) -> None:
    note = cast.make(label="Parent")
    log.news()
    comment = cast.comment(note, who="contributor")
    told = log.alone("content.created.comment", cast.members)
    content = told.fields["content"]
    assert (content["content_id"], content["parent_id"], content["parent_label"]) == (comment, note, "Parent")
    assert (content["parent_content_type"], content["content_type"]) == ("html-document", "comment")
    assert content["author"]["user_id"] == told.author == cast.ids["contributor"]
    assert (told.row.content_id, told.row.parent_id) == (comment, note)
    path = f"{cast.base}/contents/{note}/comments/{comment}"
    cast.ok("PUT", path, {"raw_content": "<p>other</p>"}, "workspace-manager")
    told = log.alone("content.modified.comment", cast.members)
    assert told.fields["content"]["last_modifier"]["user_id"] == told.author == cast.ids["workspace-manager"]
    assert told.fields["content"]["author"]["user_id"] == cast.ids["contributor"]
    cast.ok("PUT", path, {"raw_content": "<p>other</p>"}, "workspace-manager")
    assert log.news() == [], "the same text again"
    cast.ok("DELETE", path, who="contributor")
    told = log.alone("content.deleted.comment", cast.members)
    assert told.fields["content"]["content_id"] == comment
    cast.ok("DELETE", path, who="contributor")
    assert log.news() == [], "it is deleted already"


def test_what_lies_below_a_trashed_content_is_told_too(cast: Any, log: Any) -> None:
    """The parent's trash hides a comment from lists, and not from those who are told of it."""
    note = cast.make()
    comment, todo = cast.comment(note), cast.todo(note)
    for content in (comment, todo, note):
        cast.ok("PUT", f"{cast.base}/contents/{content}/trashed", {})
    assert log.types()[-3:] == ["content.deleted.comment", "content.deleted.todo", "content.deleted.html-document"]
    answer = cast.root.post(f"{cast.base}/contents/{note}/comments", {"raw_content": "<p>x</p>"})
    assert (answer.status, answer.code, log.news()) == (400, 2044, []), "nobody comments in the trash"
    for content, kind in ((comment, "comment"), (todo, "todo")):
        cast.ok("PUT", f"{cast.base}/contents/{content}/trashed/restore", {})
        told = log.alone(f"content.undeleted.{kind}", cast.members)
        assert (told.row.content_id, told.row.parent_id) == (content, note)
    assert told.fields["content"]["parent"]["label"].startswith("Note"), "as lists show it in the trash"


def test_todos(cast: Any, log: Any) -> None:
    note = cast.make(label="Parent")
    log.news()
    reader = cast.ids["reader"]
    todo = cast.todo(note, reader)
    told = log.alone("content.created.todo", cast.members)
    content = told.fields["content"]
    assert content["content_id"] == todo
    assert content["parent"]["content_id"] == note
    assert (content["assignee"]["user_id"], content["status"], content["raw_content"]) == (reader, "open", "do it")
    assert content["workspace"] == {"workspace_id": cast.space, "label": "Alpha"}
    path = f"{cast.base}/contents/{note}/todos/{todo}"
    cast.ok("PUT", path, {"status": "closed-validated"}, "reader")
    told = log.alone("content.modified.todo", cast.members)
    assert (told.fields["content"]["status"], told.author) == ("closed-validated", reader)
    cast.ok("DELETE", path)
    told = log.alone("content.deleted.todo", cast.members)
    assert (told.row.content_id, told.row.parent_id) == (todo, note)


def test_a_move_is_a_modification_told_where_the_content_is_now(cast: Any, log: Any) -> None:
    folder, note = cast.make("folder", "Folder"), cast.make()
    there = cast.other_space("confidential")
    log.news()
    path = f"{cast.base}/contents/{note}/move"
    cast.ok("PUT", path, {"new_parent_id": folder, "new_workspace_id": cast.space})
    told = log.alone("content.modified.html-document", cast.members)
    assert (told.fields["content"]["parent_id"], told.row.parent_id) == (folder, folder)
    assert state(told)[1] == "move"
    cast.ok("PUT", path, {"new_parent_id": None, "new_workspace_id": there})
    told = log.alone("content.modified.html-document", {1})
    assert told.fields["workspace"]["workspace_id"] == told.fields["content"]["workspace_id"] == there


def test_whole_trees_are_one_event(cast: Any, log: Any) -> None:
    """Fifty contents below a folder are not told: what happens to the folder says it all."""
    folder = cast.make("folder", "Folder")
    for n in range(25):
        inner = cast.make("folder", f"f{n}", parent_id=folder)
        cast.make(label=f"n{n}", parent_id=inner)
    there = cast.other_space("confidential")
    assert len(log.news()) == 53
    inside = f"{cast.base}/contents/{folder}"
    for verb, operation in (
        ("archived", "modified"), ("archived/restore", "modified"), ("trashed", "deleted"),
        ("trashed/restore", "undeleted"),
    ):  # fmt: skip
        cast.ok("PUT", f"{inside}/{verb}", {})
        log.alone(f"content.{operation}.folder", cast.members)
    cast.ok("PUT", f"/api/users/1/workspaces/{cast.space}/read", {})
    cast.ok("PUT", f"/api/users/1/workspaces/{cast.space}/contents/{folder}/read")
    cast.ok("PUT", f"/api/users/1/workspaces/{cast.space}/contents/{folder}/unread")
    assert log.news() == [], "what somebody has read is nobody's business"
    cast.ok("PUT", f"{inside}/move", {"new_parent_id": None, "new_workspace_id": there})
    log.alone("content.modified.folder", {1})


def test_templates_and_copies(cast: Any, log: Any) -> None:
    """A copy is one event, whatever came with it: its tags and to-dos are not told apart."""
    note = cast.make(label="Template")
    for _ in range(3):
        cast.todo(note)
    cast.ok("POST", f"{cast.base}/contents/{note}/tags", {"tag_name": "urgent"})
    log.news()
    cast.ok("PUT", f"{cast.base}/contents/{note}/template", {"is_template": True})
    told = log.alone("content.modified.html-document", cast.members)
    assert told.fields["content"]["is_template"] is True
    copy = cast.make(label="Copy", template_id=note)
    told = log.alone("content.copied.html-document", cast.members)
    assert (told.fields["content"]["content_id"], state(told)[1]) == (copy, "copy")


def test_the_namespace_of_a_thread(cast: Any, log: Any) -> None:
    thread = cast.make("thread", "News")
    log.news()
    cast.ok("PUT", f"{cast.base}/threads/{thread}/namespace", {"content_namespace": "publication"})
    told = log.alone("content.modified.thread", cast.members)
    assert told.fields["content"]["content_namespace"] == "publication"


def test_an_old_revision_comes_back(cast: Any, log: Any) -> None:
    note = cast.make()
    first = cast.ok("GET", f"{cast.base}/html-documents/{note}")["current_revision_id"]
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": "<p>x</p>"})
    log.news()
    cast.ok("PUT", f"{cast.base}/contents/{note}/revisions/{first}/restored", {})
    told = log.alone("content.modified.html-document", cast.members)
    assert told.fields["content"]["version_number"] == 3


def test_contents_of_an_open_space_are_for_members_too(cast: Any, log: Any) -> None:
    space = cast.other_space("open")
    log.news()
    cast.ok("POST", f"/api/workspaces/{space}/contents", {"label": "n", "content_type": "html-document"})
    log.alone("content.created.html-document", {1})


def test_a_purge_is_not_told(cast: Any, log: Any) -> None:
    note = cast.make()
    log.news()
    cast.ok("PUT", f"{cast.base}/contents/{note}/trashed", {})
    assert log.types() == ["content.deleted.html-document"]
    answer = cast.root.delete(f"{cast.base}/contents/{note}/permanently")
    assert answer.status == 204
    assert log.news() == []
