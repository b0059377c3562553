"""Favourites: a user's own list, which shows what he may see now."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD

DIGEST = {
    "content_id", "workspace_id", "parent_id", "label", "slug", "filename", "file_extension", "content_type",
    "content_namespace", "status", "is_archived", "is_deleted", "is_template", "is_editable", "show_in_ui",
    "sub_content_types", "current_revision_id", "current_revision_type", "created", "modified", "author",
    "last_modifier", "actives_shares", "assignee_id",
}  # fmt: skip


def _path(person: Any, content: int | str | None = None) -> str:
    return f"/api/users/{person.user_id}/favorite-contents" + ("" if content is None else f"/{content}")


@pytest.fixture
def bob(as_actor: Any) -> Any:
    return as_actor("bob")


@pytest.fixture
def space(make_space: Any, bob: Any) -> int:
    return int(make_space(members={bob.user_id: "reader"}))


def test_life_of_a_favourite(client: Client, bob: Any, space: int, make_content: Any) -> None:
    note = make_content(space, "Né")
    empty = bob.get(_path(bob)).json
    assert empty == {
        "items": [], "has_next": False, "has_previous": False, "next_page_token": "", "previous_page_token": "",
        "per_page": 0,
    }  # fmt: skip
    made = bob.post(_path(bob), {"content_id": note["content_id"]})
    assert made.status == 200
    assert set(made.json) == {"user_id", "user", "content_id", "content", "original_label", "original_type"}
    assert set(made.json["content"]) == DIGEST
    assert made.json["content"] == note
    assert made.json["user"]["user_id"] == made.json["user_id"] == bob.user_id
    assert made.json["user"]["username"] == "bob"
    assert (made.json["original_label"], made.json["original_type"]) == ("Né", "html-document")
    assert bob.get(_path(bob, note["content_id"])).json == made.json
    assert bob.get(_path(bob)).json == {**empty, "items": [made.json], "per_page": 1}
    for _ in range(2):
        gone = bob.delete(_path(bob, note["content_id"]))
        assert (gone.status, gone.body) == (204, b"")
    assert bob.get(_path(bob)).json == empty
    missing = bob.get(_path(bob, note["content_id"]))
    assert (missing.status, missing.code) == (400, 1023)


def test_choosing_twice_changes_nothing(
    client: Client, bob: Any, space: int, make_content: Any, clock: Any
) -> None:
    first, second = (make_content(space, label)["content_id"] for label in ("first", "second"))
    for content in (first, second):
        bob.post(_path(bob), {"content_id": content})
        clock.move(5)
    renamed = client.put(f"/api/workspaces/{space}/html-documents/{first}", {"label": "renamed"})
    assert renamed.status == 200
    again = bob.post(_path(bob), {"content_id": first})
    assert again.status == 200
    assert (again.json["original_label"], again.json["content"]["label"]) == ("first", "renamed")
    assert [item["content_id"] for item in bob.get(_path(bob)).json["items"]] == [first, second]


def test_many_at_once_make_one(kernel: Kernel, bob: Any, space: int, make_content: Any) -> None:
    note = make_content(space, "n")["content_id"]
    statuses: list[int] = []

    def choose() -> None:
        mine = Client(kernel.app, "bob", PASSWORD)
        statuses.append(mine.post(_path(bob), {"content_id": note}).status)
        mine.close()

    threads = [threading.Thread(target=choose) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    assert len(bob.get(_path(bob)).json["items"]) == 1


def test_only_what_the_user_sees_becomes_a_favourite(
    client: Client, bob: Any, make_space: Any, make_content: Any
) -> None:
    """The administrator sees the content, the user of the path does not."""
    hidden = make_content(make_space("Other"), "n")["content_id"]
    for asking in (bob, client):
        for content in (hidden, hidden + 99, 10**17):
            answer = asking.post(_path(bob), {"content_id": content})
            assert (answer.status, answer.code) == (400, 1003)
    assert client.get(_path(bob)).json["items"] == []


def test_a_content_out_of_sight_is_null_until_it_is_back(
    kernel: Kernel, client: Client, bob: Any, space: int, make_content: Any
) -> None:
    note = make_content(space, "n")["content_id"]
    bob.post(_path(bob), {"content_id": note})
    assert client.delete(f"/api/workspaces/{space}/members/{bob.user_id}").status == 204
    for answer in (bob.get(_path(bob)).json["items"][0], bob.get(_path(bob, note)).json):
        assert answer["content"] is None
        assert (answer["content_id"], answer["original_label"]) == (note, "n")
        assert answer["original_type"] == "html-document"
    client.post(f"/api/workspaces/{space}/members", {"user_id": bob.user_id, "role": "reader"})
    assert bob.get(_path(bob, note)).json["content"]["label"] == "n"
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE spaces_space SET is_deleted = 1 WHERE space_id = :s"), {"s": space})
    assert bob.get(_path(bob, note)).json["content"] is None


def test_a_trashed_content_is_still_shown(kernel: Kernel, bob: Any, space: int, make_content: Any) -> None:
    note = make_content(space, "n")["content_id"]
    bob.post(_path(bob), {"content_id": note})
    with kernel.unit() as ctx:
        ctx.execute(
            text("UPDATE core_content_content SET trashed_at = 1, name_key = NULL WHERE content_id = :c"),
            {"c": note},
        )
    assert bob.get(_path(bob)).json["items"][0]["content"]["is_deleted"] is True


def test_a_content_deleted_for_good_takes_its_favourites_along(
    kernel: Kernel, bob: Any, space: int, make_content: Any
) -> None:
    note = make_content(space, "n")["content_id"]
    bob.post(_path(bob), {"content_id": note})
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM core_content_content WHERE content_id = :c"), {"c": note})
    assert bob.get(_path(bob)).json["items"] == []
    assert bob.get(_path(bob, note)).code == 1023


def test_the_user_himself_and_administrators(
    client: Client, stranger: Client, bob: Any, as_actor: Any, space: int, make_content: Any
) -> None:
    note = make_content(space, "n")["content_id"]
    trusted = as_actor("ann", profile="trusted-users")
    gone = as_actor("gone", active=False)
    requests: list[tuple[str, str, Any]] = [
        ("POST", _path(bob), {"content_id": note}), ("GET", _path(bob), None), ("GET", _path(bob, note), None),
        ("DELETE", _path(bob, note), None),
    ]  # fmt: skip
    for method, path, body in requests:
        for person, expected in ((stranger, (401, None)), (gone, (401, None)), (trusted, (403, 4002))):
            answer = person.request(method, path, json_body=body)
            assert (answer.status, answer.code) == expected, (method, path)
        for person in (bob, client):
            assert person.request(method, path, json_body=body).status in (200, 204)
    nobody = client.get("/api/users/99999/favorite-contents")
    assert (nobody.status, nobody.code) == (400, 1001)


@pytest.mark.parametrize(
    "body", [{}, {"content_id": None}, {"content_id": 0}, {"content_id": -3}, {"content_id": "abc"},
             {"content_id": 1.5}, {"content_id": []}, {"content_id": 2**63}],
)  # fmt: skip
def test_wrong_bodies(bob: Any, body: dict[str, Any]) -> None:
    answer = bob.post(_path(bob), body)
    assert (answer.status, answer.code) == (400, 2001)


@pytest.mark.parametrize("number", ["abc", "0", "-1", "1.5", "9" * 30])
def test_wrong_numbers(bob: Any, number: str) -> None:
    for method in ("GET", "DELETE"):
        answer = bob.request(method, _path(bob, number))
        assert (answer.status, answer.code) == (400, 2001)


def test_the_list_costs_the_same_whatever_its_length(
    kernel: Kernel, bob: Any, space: int, make_content: Any, statements: Any
) -> None:
    make_content(space, "model")
    columns = (
        "space_id, parent_key, namespace, type, label, file_extension, filename, slug, status, sub_content_types,"
        " is_template, author_id, last_modifier_id, current_revision_id, current_revision_type, version_number,"
        " created, modified"
    )
    costs, done = [], 0
    for count in (10, 1000):
        with kernel.unit() as ctx:
            for _ in range(done, count):
                ctx.execute(
                    text(
                        f"INSERT INTO core_content_content ({columns}) SELECT {columns} FROM core_content_content"
                        " WHERE content_id = (SELECT MIN(content_id) FROM core_content_content)"
                    )
                )
            ctx.execute(
                text(
                    "INSERT INTO favorites_favorite (user_id, content_id, original_label, original_type, created)"
                    " SELECT :u, content_id, label, type, 1 FROM core_content_content WHERE content_id NOT IN"
                    " (SELECT content_id FROM favorites_favorite)"
                    " AND content_id > (SELECT MIN(content_id) FROM core_content_content)"
                ),
                {"u": bob.user_id},
            )
        done = count
        bob.get(_path(bob))  # whatever is built once is built now
        with statements() as seen:
            items = bob.get(_path(bob)).json["items"]
        assert len(items) == count
        assert all(item["content"] is not None for item in items)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4
