"""What people have read."""

from __future__ import annotations

from typing import Any

import pytest


def flags(place: Any, who: Any, query: str = "") -> dict[int, bool]:
    answer = who.get(f"/api/users/{who.user_id}/workspaces/{place.space}/contents/read_status?{query}")
    assert answer.status == 200, answer.body
    assert all(set(row) == {"content_id", "read_by_user"} for row in answer.json)
    return {row["content_id"]: row["read_by_user"] for row in answer.json}


def test_reading_and_news(place: Any, send_file: Any) -> None:
    reader, writer = place.people["reader"], place.people["contributor"]
    made = writer.post(f"{place.base}/contents", {"label": "n", "content_type": "html-document"}).json
    note = made["content_id"]
    assert flags(place, writer) == {note: True}, "an author has read what he wrote"
    assert flags(place, reader) == {note: False}
    base = f"/api/users/{reader.user_id}/workspaces/{place.space}"
    assert reader.put(f"{base}/contents/{note}/read", {}).status == 204
    assert flags(place, reader) == {note: True}
    assert writer.put(f"{place.base}/html-documents/{note}", {"raw_content": "<p>2</p>"}).status == 200
    assert (flags(place, writer)[note], flags(place, reader)[note]) == (True, False)
    assert reader.put(f"{base}/read", {}).status == 204
    comment = place.comment(note, who=writer)["content_id"]
    assert flags(place, reader, f"content_ids={note}") == {note: False}, "a comment makes it news again"
    assert flags(place, writer, f"content_ids={note},{comment},999") == {note: True, comment: True}
    assert reader.put(f"{base}/contents/{note}/read", {}).status == 204
    assert flags(place, reader) == {note: True, comment: True}
    assert reader.put(f"{base}/contents/{note}/unread", {}).status == 204
    assert flags(place, reader) == {note: False, comment: False}


def test_an_upload_is_read_by_who_sent_it(place: Any, send_file: Any) -> None:
    writer = place.people["contributor"]
    file = send_file(writer, f"{place.base}/files").json["content_id"]
    assert flags(place, writer) == {file: True}
    answer = send_file(writer, f"{place.base}/files/{file}/raw/x", "b.txt", b"2", method="PUT")
    assert answer.status == 204
    assert flags(place, writer) == {file: True}


def test_folders_are_as_unread_as_what_they_hold(place: Any) -> None:
    reader = place.people["reader"]
    folder = place.make("F", "folder")
    inner = place.make("I", "folder", folder)
    note = place.make("N", parent=inner)
    base = f"/api/users/{reader.user_id}/workspaces/{place.space}/contents"
    assert reader.put(f"{base}/{folder}/read", {}).status == 204
    assert set(flags(place, reader).values()) == {True}
    assert place.root.put(f"{place.base}/html-documents/{note}", {"description": "d"}).status == 200
    assert flags(place, reader) == {folder: False, inner: False, note: False}
    assert flags(place, reader, f"content_ids={folder}") == {folder: False}
    assert place.act(note, "trashed").status == 204
    assert flags(place, reader, f"content_ids={folder}") == {folder: True}
    assert flags(place, reader) == {folder: True, inner: True}


def test_who_may_ask(place: Any, as_actor: Any) -> None:
    reader, outsider = place.people["reader"], place.people["outsider"]
    note = place.make()
    root = as_actor("root", profile="administrators")
    for method, rest in (
        ("GET", "/contents/read_status"), ("PUT", f"/contents/{note}/read"), ("PUT", f"/contents/{note}/unread"),
        ("PUT", "/read"),
    ):  # fmt: skip
        of_reader = f"/api/users/{reader.user_id}/workspaces/{place.space}{rest}"
        assert outsider.request(method, of_reader).code == 4002
        assert reader.request(method, of_reader).status in (200, 204)
        assert root.request(method, of_reader).status in (200, 204)
        for who in (outsider, root):
            answer = who.request(method, f"/api/users/{who.user_id}/workspaces/{place.space}{rest}")
            assert (answer.status, answer.code) == (400, 1002)
        assert root.request(method, f"/api/users/999/workspaces/{place.space}{rest}").code == 1001
        assert reader.request(method, f"/api/users/{reader.user_id}/workspaces/x{rest}").code == 2022
    assert reader.put(f"/api/users/{reader.user_id}/workspaces/{place.space}/contents/999/read", {}).code == 1003


@pytest.mark.parametrize("ids", ["x", "1,x", "1;2", "-1"])
def test_wrong_ids(place: Any, ids: str) -> None:
    reader = place.people["reader"]
    path = f"/api/users/{reader.user_id}/workspaces/{place.space}/contents/read_status"
    assert reader.get(f"{path}?content_ids={ids}").code == 2001
