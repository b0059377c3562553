"""The life of each kind of content, from creation to deletion for good, through HTTP and every plugin on it."""

from __future__ import annotations

from typing import Any

import pytest

KINDS = {
    "html-document": "html-documents", "thread": "threads", "folder": "folders", "file": "files",
    "kanban": "files", "logbook": "files",
}  # fmt: skip


@pytest.fixture
def other(make_space: Any, place: Any) -> int:
    """A second space of the same people."""
    people = {place.people[role].user_id: role for role in ("reader", "contributor", "content-manager")}
    return int(make_space("Beta", people))


@pytest.mark.parametrize("kind", list(KINDS))
def test_from_creation_to_deletion(place: Any, other: int, kind: str, events: list[Any]) -> None:
    root, reader = place.root, place.people["reader"]
    folder = place.make("Folder", "folder")
    content = place.file("Born.txt") if kind == "file" else place.make("Born", kind)
    path = f"{place.base}/{KINDS[kind]}/{content}"
    one = f"{place.base}/contents/{content}"

    # edit, new bytes, revisions
    assert root.put(path, {"label": "Named", "raw_content": "<p>text</p>", "description": "d"}).status == 200
    if KINDS[kind] == "files":
        name = place.get(content, kind)["filename"]
        assert place.upload(root, f"{path}/raw/{name}", name, b'{"a":1}', method="PUT").status == 204
        assert reader.get(f"{path}/raw/{name}").body == b'{"a":1}'
    revisions = reader.get(f"{path}/revisions").json
    revisions = revisions if isinstance(revisions, list) else revisions["items"]
    assert [r["version_number"] for r in revisions] == list(range(1, len(revisions) + 1))

    # status closes, and opens again
    assert root.put(f"{path}/status", {"status": "closed-validated"}).status == 204
    assert root.put(path, {"label": "Late"}).code == 2044
    assert root.put(f"{path}/status", {"status": "open"}).status == 204

    # what hangs on it
    mention = f'<p><html-mention userid="{reader.user_id}"></html-mention> look</p>'
    comments = 0
    if kind != "folder":
        assert place.comment(content, mention)["raw_content"].startswith("<p><html-mention")
        assert any(type(e).__name__ == "MentionCreated" for e in events)
        comments = 1
    todo = place.todo(content, "do", reader.user_id)["content_id"]
    assert reader.put(f"{one}/todos/{todo}", {"status": "closed-validated"}).status == 204
    assert root.post(f"{one}/reactions", {"value": "👍"}).status == 200
    assert root.post(f"{one}/tags", {"tag_name": "urgent"}).status == 200
    favorites = f"/api/users/{reader.user_id}/favorite-contents"
    assert reader.post(favorites, {"content_id": content}).status == 200
    found = reader.get("/api/search/content?search_string=urgent").json
    assert [c["content_id"] for c in found["contents"]] == [content]

    # template and what is made from it
    assert root.put(f"{one}/template", {"is_template": True}).status == 204
    made = place.make("From template", kind, template_id=content)
    assert [t["raw_content"] for t in root.get(f"{place.base}/contents/{made}/todos").json] == ["do"]
    assert [t["tag_name"] for t in root.get(f"{place.base}/contents/{made}/tags").json] == ["urgent"]

    # moves: into a folder, then with it to another space
    assert place.move(content, folder).status == 200
    assert place.move(folder, None, other).status == 200
    there = f"/api/workspaces/{other}"
    assert reader.get(f"{there}/{KINDS[kind]}/{content}").status == 200
    assert [t["tag_name"] for t in reader.get(f"{there}/contents/{content}/tags").json] == ["urgent"]
    assert [t["tag_name"] for t in reader.get(f"{there}/tags").json] == ["urgent"], "a tag of the new space"
    assert len(reader.get(f"{there}/contents/{content}/reactions").json) == 1
    assert len(reader.get(f"{there}/contents/{content}/todos").json) == 1
    if comments:
        assert len(reader.get(f"{there}/contents/{content}/comments").json["items"]) == 1

    # archive and back, trash and back, with what lies above
    one = f"{there}/contents/{content}"
    for verb, flag in (("archived", "is_archived"), ("trashed", "is_deleted")):
        assert root.put(f"{one}/{verb}", {}).status == 204
        assert reader.get(f"{there}/{KINDS[kind]}/{content}").json[flag] is True
        assert reader.get("/api/search/content?search_string=Named").json["total_hits"] == 0
        assert reader.get(favorites).json["items"][0]["content"][flag] is True
        assert root.put(f"{one}/{verb}/restore", {}).status == 204
    assert reader.get(f"{there}/{KINDS[kind]}/{content}").json["label"] == "Named" or kind in (
        "file",
        "kanban",
        "logbook",
    )
    assert root.put(f"{there}/contents/{folder}/trashed", {}).status == 204
    assert reader.get(f"{there}/contents?parent_ids={folder}").json["items"] == []
    assert root.put(f"{there}/contents/{folder}/trashed/restore", {}).status == 204
    assert len(reader.get(f"{there}/contents?parent_ids={folder}").json["items"]) == 1

    # gone for good, and nothing is left of it
    assert root.delete(f"{there}/contents/{folder}/permanently").status == 204
    assert reader.get(f"/api/contents/{content}").code == 1003
    assert reader.get(favorites).json["items"] == []
    assert reader.get("/api/search/content?search_string=urgent").json["contents"] != [content]
    assert reader.get(f"/api/users/{reader.user_id}/todos").json[0]["parent"]["content_id"] == made
