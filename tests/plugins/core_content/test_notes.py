"""Notes and folders: revisions, conditions, statuses, names, pages."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD


@pytest.fixture
def note(make_space: Any, make_content: Any) -> str:
    """The path of a note."""
    space = make_space()
    return f"/api/workspaces/{space}/html-documents/{make_content(space, 'Note')['content_id']}"


def test_each_change_is_a_revision(client: Client, note: str, events: list[Any]) -> None:
    for number, body in enumerate(({"raw_content": "<p>1</p>"}, {"label": "Other"}, {"description": "d"}), 2):
        changed = client.put(note, body)
        assert (changed.status, changed.json["version_number"]) == (200, number)
    listed = client.get(f"{note}/revisions").json
    assert [r["version_number"] for r in listed["items"]] == [1, 2, 3, 4]
    assert [r["raw_content"] for r in listed["items"]] == ["", "<p>1</p>", "<p>1</p>", "<p>1</p>"]
    assert [r["label"] for r in listed["items"]] == ["Note", "Note", "Other", "Other"]
    assert (listed["per_page"], listed["has_next"]) == (4, False)
    one = client.get(f"{note}/revisions/{listed['items'][1]['revision_id']}").json
    assert one == listed["items"][1]
    assert [e.change for e in events] == ["edition"] * 3


@pytest.mark.parametrize("body", [{}, {"label": "Note"}, {"raw_content": ""}, {"label": " Note "}])
def test_what_changes_nothing_is_refused(client: Client, note: str, body: dict[str, str]) -> None:
    answer = client.put(note, body)
    assert (answer.status, answer.code) == (400, 2041)
    assert len(client.get(f"{note}/revisions").json["items"]) == 1


def test_a_text_is_cleaned_on_its_way_in(client: Client, note: str) -> None:
    sent = '<p onclick="x()">a</p><script>b</script><iframe src="https://evil.example/"></iframe>'
    stored = client.put(note, {"raw_content": sent, "description": "<b>ok</b><style>x</style>"}).json
    assert stored["raw_content"] == "<p>a</p><iframe></iframe>"
    assert stored["description"] == "<b>ok</b>"


def test_conditions(client: Client, note: str) -> None:
    first = client.get(note)
    tag = first.headers["etag"]
    assert tag.startswith(f'"{first.json["current_revision_id"]}-')
    assert first.headers["cache-control"] == "private, no-cache"
    assert client.get(note, headers={"if-none-match": tag}).status == 304
    changed = client.put(note, {"raw_content": "1"}, headers={"if-match": tag})
    assert changed.status == 200
    stale = client.put(note, {"raw_content": "2"}, headers={"if-match": tag})
    assert (stale.status, stale.code) == (412, 20001)
    assert stale.json["details"]["current_revision_id"] == changed.json["current_revision_id"]
    assert client.get(note).json["raw_content"] == "1"
    bare = {"if-match": f'"{changed.json["current_revision_id"]}"'}
    assert client.put(note, {"raw_content": "2"}, headers=bare).status == 200
    assert client.put(note, {"raw_content": "3"}, headers={"if-match": "*"}).status == 200
    assert client.get(note, headers={"if-none-match": tag}).status == 200


def test_a_closed_note_is_not_changed_until_it_is_opened(client: Client, note: str) -> None:
    assert client.put(f"{note}/status", {"status": "closed-validated"}).status == 204
    closed = client.get(note).json
    assert (closed["status"], closed["is_editable"], closed["current_revision_type"]) == (
        "closed-validated", False, "status-update"
    )  # fmt: skip
    assert client.put(note, {"raw_content": "x"}).code == 2044
    assert client.put(f"{note}/status", {"status": "closed-validated"}).code == 2004
    assert client.put(f"{note}/status", {"status": "open"}).status == 204
    assert client.put(note, {"raw_content": "x"}).status == 200


def test_a_folder(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    path = f"/api/workspaces/{space}/folders/{make_content(space, 'f', 'folder')['content_id']}"
    assert client.put(f"{path}/status", {"status": "open"}).status == 204
    changed = client.put(path, {"sub_content_types": ["file", "folder", "file"]})
    assert changed.json["sub_content_types"] == ["file", "folder"]
    assert client.put(path, {"sub_content_types": ["folder", "file"]}).code == 2041
    assert client.put(path, {"sub_content_types": ["banana"]}).code == 2001
    revisions = client.get(f"{path}/revisions").json
    assert isinstance(revisions, list)
    assert len(revisions) == 2


def test_a_name_is_taken_once_in_its_place(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    base = f"/api/workspaces/{space}"
    folder = make_content(space, "Same", "folder")["content_id"]
    note = make_content(space, "Same")["content_id"]
    again = client.post(f"{base}/contents", {"label": "Same", "content_type": "html-document"})
    assert (again.status, again.code) == (400, 3002)
    assert client.post(f"{base}/contents", {"label": "Same", "content_type": "thread"}).status == 200
    inside = {"label": "Same", "content_type": "html-document", "parent_id": folder}
    assert client.post(f"{base}/contents", inside).status == 200
    assert client.post(f"{base}/contents", {"label": "same", "content_type": "html-document"}).status == 200
    assert client.put(f"{base}/html-documents/{note}", {"label": "same"}).code == 3002
    assert client.put(f"{base}/html-documents/{note}", {"label": "other"}).status == 200
    assert client.post(f"{base}/contents", {"label": "Same", "content_type": "html-document"}).status == 200


def test_many_writers_make_one_line_of_revisions(kernel: Kernel, client: Client, note: str) -> None:
    statuses: list[int] = []

    def change(number: int) -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        for n in range(8):
            statuses.append(mine.put(note, {"raw_content": f"{number}.{n}"}).status)
        mine.close()

    threads = [threading.Thread(target=change, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    versions = [r["version_number"] for r in client.get(f"{note}/revisions").json["items"]]
    assert versions == list(range(1, 50))


@pytest.mark.parametrize("sort", ["label:asc", "label:desc", "modified:asc", "created:desc"])
def test_pages_there_and_back(client: Client, make_space: Any, make_content: Any, sort: str) -> None:
    space = make_space()
    for label in "edcba":
        make_content(space, label)
    path = f"/api/workspaces/{space}/contents"
    whole = [c["content_id"] for c in client.get(path, query={"sort": sort}).json["items"]]
    seen: list[int] = []
    token, pages = "", []
    for _ in range(3):
        page = client.get(path, query={"sort": sort, "count": 2, "page_token": token}).json
        pages.append(page)
        seen += [c["content_id"] for c in page["items"]]
        token = page["next_page_token"]
    assert seen == whole
    assert [(p["has_previous"], p["has_next"]) for p in pages] == [(False, True), (True, True), (True, False)]
    back = client.get(path, query={"sort": sort, "count": 2, "page_token": pages[2]["previous_page_token"]}).json
    assert back["items"] == pages[1]["items"]
    assert client.get(path, query={"sort": sort, "count": 2, "page_token": "rubbish"}).code == 2001


def test_what_a_list_leaves_out(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    path = f"/api/workspaces/{space}/contents"
    folder = make_content(space, "Folder", "folder")["content_id"]
    deep = make_content(space, "Deep", "folder", folder)["content_id"]
    leaf = make_content(space, "100% leaf_", parent_id=deep)["content_id"]
    make_content(space, "Top")

    def labels(**query: Any) -> list[str]:
        return [c["label"] for c in client.get(path, query=query).json["items"]]

    assert labels() == ["100% leaf_", "Deep", "Folder", "Top"]
    assert labels(parent_ids="0") == ["Folder", "Top"]
    assert labels(parent_ids=f"0,{deep}") == ["100% leaf_", "Folder", "Top"]
    assert labels(complete_path_to_id=leaf) == ["100% leaf_", "Deep", "Folder", "Top"]
    assert labels(complete_path_to_id=folder) == ["Folder", "Top"]
    assert labels(content_type="html-document") == ["100% leaf_", "Top"]
    assert labels(label="LEAF") == ["100% leaf_"]
    assert labels(label="%") == ["100% leaf_"]
    assert labels(label="_") == ["100% leaf_"]
    assert labels(show_active=0) == []
    assert labels(namespaces_filter="publication") == []
    assert client.get(path, query={"namespaces_filter": "nonsense"}).code == 2001
