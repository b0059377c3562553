"""Changes and their revisions, and the ETag that guards them (spec: contents, §6, §7, §16)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest


@pytest.fixture
def note(world: Any) -> str:
    """The path of a note."""
    return str(world.path(f"/html-documents/{world.note}"))


def test_every_change_is_one_revision(client: Any, note: str, clock: Any, events: list[Any]) -> None:
    for seconds, (path, body) in enumerate(
        [
            (note, {"label": "New"}), (note, {"raw_content": "<p>x</p>", "description": "d"}),
            (f"{note}/status", {"status": "closed-validated"}), (f"{note}/status", {"status": "open"}),
        ]
    ):  # fmt: skip
        clock.move(seconds + 1)
        assert client.put(path, body).status in (200, 204)
    revisions = client.get(f"{note}/revisions").json["items"]
    assert [r["version_number"] for r in revisions] == [1, 2, 3, 4, 5]
    assert [r["revision_type"] for r in revisions] == [
        "creation",
        "edition",
        "edition",
        "status-update",
        "status-update",
    ]
    assert [r["label"] for r in revisions] == ["Note", "New", "New", "New", "New"]
    assert [r["raw_content"] for r in revisions] == ["", "", "<p>x</p>", "<p>x</p>", "<p>x</p>"]
    assert [r["is_editable"] for r in revisions] == [False, False, False, False, True]
    assert all(r["created"] == r["modified"] for r in revisions)
    assert [e.change for e in events] == ["edition", "edition", "status-update", "status-update"]
    got = client.get(note).json
    assert (got["current_revision_id"], got["version_number"]) == (revisions[-1]["revision_id"], 5)
    assert client.get(f"{note}/revisions/{revisions[1]['revision_id']}").json == revisions[1]
    assert got["created"] == revisions[0]["created"] < got["modified"] == revisions[-1]["created"]


def test_author_and_last_modifier(world: Any, client: Any, note: str) -> None:
    contributor = world.people["contributor"]
    got = contributor.put(note, {"label": "Mine"}).json
    assert (got["author"]["user_id"], got["last_modifier"]["user_id"]) == (1, contributor.user_id)
    revisions = client.get(f"{note}/revisions").json["items"]
    assert [r["author"]["user_id"] for r in revisions] == [1, contributor.user_id]


@pytest.mark.parametrize("body", [{}, {"label": "Note"}, {"raw_content": ""}, {"label": " Note "}, {"unknown": 1}])
def test_a_change_that_changes_nothing(client: Any, note: str, body: dict[str, Any]) -> None:
    answer = client.put(note, body)
    assert (answer.status, answer.code) == (400, 2041)
    assert client.get(note).json["version_number"] == 1


@pytest.mark.parametrize("status", ["closed-validated", "closed-unvalidated", "closed-deprecated"])
def test_a_closed_content_is_not_edited_but_reopened(
    client: Any, world: Any, note: str, status: str, send_file: Any
) -> None:
    assert client.put(f"{note}/status", {"status": status}).status == 204
    answer = client.put(note, {"label": "x"})
    assert (answer.status, answer.code) == (400, 2044)
    same = client.put(f"{note}/status", {"status": status})
    assert (same.status, same.code) == (400, 2004)
    assert client.put(f"{note}/status", {"status": "open"}).status == 204
    assert client.put(note, {"label": "x"}).status == 200
    file = world.path(f"/files/{world.file}")
    assert client.put(f"{file}/status", {"status": status}).status == 204
    answer = send_file(client, f"{file}/raw/x", method="PUT")
    assert (answer.status, answer.code) == (400, 2044)


def test_a_folder_takes_its_status_again(client: Any, world: Any) -> None:
    path = world.path(f"/folders/{world.folder}")
    assert client.put(f"{path}/status", {"status": "open"}).status == 204
    assert [r["version_number"] for r in client.get(f"{path}/revisions").json] == [1]


def test_pages_of_revisions(client: Any, note: str) -> None:
    for number in range(4):
        client.put(note, {"label": f"n{number}"})
    numbers: list[int] = []
    page = client.get(f"{note}/revisions?count=2&sort=modified:desc").json
    while True:
        numbers += [r["version_number"] for r in page["items"]]
        if not page["has_next"]:
            break
        page = client.get(
            f"{note}/revisions?count=2&sort=modified:desc&page_token={quote(page['next_page_token'])}"
        ).json
    assert numbers == [5, 4, 3, 2, 1]
    assert next(r["label"] for r in client.get(f"{note}/revisions?sort=label:desc").json["items"]) == "n3"


def test_texts_are_cleaned_on_every_way_in(client: Any, world: Any, note: str) -> None:
    hostile = '<p onclick="x()">a<script>b</script><img src="x" onerror="y()"></p>'
    clean = '<p>a<img src="x"></p>'
    assert client.put(note, {"raw_content": hostile, "description": hostile}).status == 200
    got = client.get(note).json
    assert (got["raw_content"], got["description"]) == (clean, clean)
    same = client.put(note, {"raw_content": hostile})
    assert (same.status, same.code) == (400, 2041), "what is stored does not change"
    body = {"label": "B", "description": hostile, "access_type": "open", "default_user_role": "reader"}
    assert client.post("/api/workspaces", body).json["description"] == clean
    for kind, content_id in (("folders", world.folder), ("files", world.file)):
        got = client.put(world.path(f"/{kind}/{content_id}"), {"description": hostile}).json
        assert got["description"] == clean


# -- ETag ----------------------------------------------------------------------------------------------------


def test_a_tag_names_the_revision_and_the_body(client: Any, note: str) -> None:
    first = client.get(note)
    assert re.fullmatch(rf'"{first.json["current_revision_id"]}-[0-9a-f]{{8}}"', first.headers["etag"])
    assert client.get(note).headers["etag"] == first.headers["etag"]
    changed = client.put(note, {"label": "x"})
    assert changed.headers["etag"] != first.headers["etag"]
    assert client.get(note).headers["etag"] == changed.headers["etag"], "a change answers the tag of what it made"


def test_a_sanitised_text_is_answered_without_tag(client: Any, note: str) -> None:
    assert "etag" not in client.put(note, {"raw_content": "<p onclick='x()'>a</p>"}).headers
    assert "etag" in client.put(note, {"raw_content": "<p>b</p>"}).headers


def test_not_modified(client: Any, note: str) -> None:
    tag = client.get(note).headers["etag"]
    for given in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = client.get(note, headers={"If-None-Match": given})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert client.request("HEAD", note, headers={"If-None-Match": given}).status == 304
    for given in ('"x"', tag.strip('"').partition("-")[0], f'"{tag.strip(chr(34)).partition("-")[0]}"'):
        assert client.get(note, headers={"If-None-Match": given}).status == 200
    assert client.put(note, {"label": "y"}, headers={"If-None-Match": "*"}).status == 200


def test_a_change_by_somebody_else_is_noticed(client: Any, world: Any, note: str, send_file: Any) -> None:
    stale = client.get(note)
    fresh = client.put(note, {"label": "theirs"})
    file = world.path(f"/files/{world.file}")
    stale_file = client.get(file).headers["etag"]
    client.put(file, {"label": "theirs"})
    for answer, current in (
        (client.put(note, {"label": "mine"}, headers={"If-Match": stale.headers["etag"]}), fresh.json),
        (client.put(f"{note}/status", {"status": "closed-validated"}, headers={"If-Match": stale.headers["etag"]}), fresh.json),
        (send_file(client, f"{file}/raw/x", method="PUT", headers={"If-Match": stale_file}), client.get(file).json),
    ):  # fmt: skip
        assert (answer.status, answer.code) == (412, 20001)
        revision = current["current_revision_id"]
        assert answer.json["details"] == {"current_revision_id": revision, "etag": f'"{revision}"'}
    assert client.get(note).json["label"] == "theirs"


@pytest.mark.parametrize(
    "form",
    ["{tag}", '"{revision}"', "{revision}", 'W/"{revision}"', '"x", "{revision}"', "*", '"{revision}-00000000"'],
)
def test_the_current_revision_matches_in_each_form(client: Any, note: str, form: str) -> None:
    got = client.get(note)
    given = form.format(tag=got.headers["etag"], revision=got.json["current_revision_id"])
    assert client.put(note, {"label": "mine"}, headers={"If-Match": given}).status == 200
