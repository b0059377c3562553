"""Searching in contents: what is found, for whom, in which order, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.search import services, upkeep

PATH = "/api/search/content"
KEYS = {
    "content_id", "workspace_id", "parent_id", "label", "slug", "filename", "file_extension", "content_type",
    "content_namespace", "status", "is_archived", "is_deleted", "is_template", "is_editable", "show_in_ui",
    "sub_content_types", "current_revision_id", "current_revision_type", "created", "modified", "author",
    "last_modifier", "actives_shares", "assignee_id", "score", "workspace", "path", "is_active", "comment_count",
    "todo_count", "content_size",
}  # fmt: skip


def find(client: Client, words: str, **query: Any) -> list[str]:
    answer = client.get(PATH, query={"search_string": words, **query})
    assert answer.status == 200, answer.body
    found = answer.json
    assert set(found) == {"contents", "total_hits", "is_total_hits_accurate"}
    assert found["is_total_hits_accurate"] is True
    return [content["label"] for content in found["contents"]]


def part(kernel: Kernel, whole: int, kind: str, words: str, **state: Any) -> int:
    """Write a comment or a to-do as core_content keeps it."""
    with kernel.unit() as ctx:
        made: Any = ctx.execute(
            text(
                "INSERT INTO core_content_content (space_id, parent_id, parent_key, namespace, type, label,"
                " file_extension, filename, slug, status, sub_content_types, is_template, author_id,"
                " last_modifier_id, current_revision_id, current_revision_type, version_number, created, modified,"
                " trashed_at) SELECT space_id, content_id, content_id, namespace, :k, '', '', '', '', 'open', '', 0,"
                " 1, 1, 0, 'creation', 1, 1, 1, :t FROM core_content_content WHERE content_id = :p"
                " RETURNING content_id"
            ),
            {"k": kind, "p": whole, "t": state.get("trashed_at")},
        ).scalar()
        revision: Any = ctx.execute(
            text(
                "INSERT INTO core_content_revision (content_id, version_number, revision_type, author_id, created,"
                " space_id, label, file_extension, status, sub_content_types, is_template, is_archived, is_deleted,"
                " description, raw_content, mimetype) VALUES (:c, 1, 'creation', 1, 1, 1, '', '', 'open', '', 0, 0,"
                " 0, '', :w, '') RETURNING revision_id"
            ),
            {"c": made, "w": words},
        ).scalar()
        ctx.execute(
            text("UPDATE core_content_content SET current_revision_id = :r WHERE content_id = :c"),
            {"r": revision, "c": made},
        )
        services.mark(ctx, "content", (whole,))
    kernel.run(services.catch_up)
    return int(made)


def change(kernel: Kernel, content: int, assignment: str) -> None:
    with kernel.unit() as ctx:
        ctx.execute(text(f"UPDATE core_content_content SET {assignment} WHERE content_id = :c"), {"c": content})
        services.mark(ctx, "content", (content,))
    kernel.run(services.catch_up)


# -- what is found ------------------------------------------------------------------------------------------


def test_exactly_these_fields(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space("Die Höfe")
    folder = make_content(space, "Folder", "folder")["content_id"]
    note = make_content(space, "Wanted", parent_id=folder)
    client.put(f"/api/workspaces/{space}/html-documents/{note['content_id']}", {"raw_content": "<p>12345</p>"})
    found = client.get(PATH, query={"search_string": "wanted"}).json
    assert (found["total_hits"], found["is_total_hits_accurate"]) == (1, True)
    hit = found["contents"][0]
    assert set(hit) == KEYS
    listed = client.get(f"/api/workspaces/{space}/contents", query={"parent_ids": folder}).json["items"][0]
    assert {key: hit[key] for key in listed} == listed
    assert hit["workspace"] == {"workspace_id": space, "label": "Die Höfe", "slug": "die-hofe"}
    assert hit["path"] == [
        {"content_id": folder, "label": "Folder", "slug": "folder", "content_type": "folder"},
        {"content_id": note["content_id"], "label": "Wanted", "slug": "wanted", "content_type": "html-document"},
    ]
    assert (hit["score"], hit["is_active"], hit["content_size"]) == (1.0, True, 12)
    assert (hit["comment_count"], hit["todo_count"]) == (0, 0)


def test_name_file_name_description_and_text(
    client: Client, make_space: Any, make_content: Any, send_file: Any
) -> None:
    space = make_space()
    send_file(client, f"/api/workspaces/{space}/files", "report.pdf")
    note = make_content(space, "First")["content_id"]
    other = make_content(space, "Second")["content_id"]
    client.put(f"/api/workspaces/{space}/html-documents/{note}", {"raw_content": "<p>An Ürchin</p>"})
    client.put(f"/api/workspaces/{space}/html-documents/{other}", {"description": "about Walrus"})
    assert find(client, "first") == ["First"]
    assert find(client, "report.pdf") == ["report"]
    assert find(client, "ürch") == ["First"]
    assert find(client, "WALRUS") == ["Second"]
    assert find(client, "octopus") == []


def test_old_texts_are_not_found(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    for raw in ("old", "new"):
        client.put(f"/api/workspaces/{space}/html-documents/{note}", {"raw_content": raw})
    assert (find(client, "old"), find(client, "new")) == ([], ["n"])


def test_any_word_is_enough(client: Client, make_space: Any, make_content: Any, clock: Any) -> None:
    space = make_space()
    for label in ("apple", "pear", "plum"):
        make_content(space, label)
        clock.move(1)
    assert find(client, "pear apple") == ["pear", "apple"]
    assert find(client, "pear,apple") == ["pear", "apple"]
    assert find(client, " , plum ,, ") == ["plum"]
    assert find(client, "p") == ["plum", "pear", "apple"]


@pytest.mark.parametrize("nothing", ["", "   ", ",", " , , "])
def test_no_word_finds_nothing(client: Client, make_space: Any, make_content: Any, nothing: str) -> None:
    make_content(make_space(), "a")
    assert find(client, nothing) == []
    assert client.get(PATH).json == {"contents": [], "total_hits": 0, "is_total_hits_accurate": True}


def test_signs_of_patterns_mean_themselves(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    for label in ("100% sure", "snake_case", "bang! bang", "back\\slash", "plain"):
        make_content(space, label)
    assert find(client, "%") == ["100% sure"]
    assert find(client, "_") == ["snake_case"]
    assert find(client, "!") == ["bang! bang"]
    assert find(client, "k\\s") == ["back\\slash"]
    assert find(client, "0_") == []


def test_tags_are_found(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    note = make_content(space, "tagged")["content_id"]
    make_content(space, "bare")
    client.post(f"/api/workspaces/{space}/contents/{note}/tags", {"tag_name": "Urgent 100%"})
    assert find(client, "urgent") == ["tagged"]
    assert find(client, "100%") == ["tagged"]
    assert find(client, "urgent tagged") == ["tagged"]


@pytest.mark.atrio_config(plugins__disabled=["tags"])
def test_the_search_works_without_tags(client: Client, make_space: Any, make_content: Any) -> None:
    make_content(make_space(), "note")
    assert find(client, "note") == ["note"]


@pytest.mark.parametrize("kind", ["comment", "todo"])
def test_parts_answer_what_they_belong_to(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, kind: str
) -> None:
    space = make_space()
    note = make_content(space, "whole")["content_id"]
    part(kernel, note, kind, "<p>needle one</p>")
    part(kernel, note, kind, "<p>needle two</p>")
    part(kernel, note, kind, "<p>thread</p>", trashed_at=5)
    assert find(client, "needle") == ["whole"]
    assert find(client, "needle whole") == ["whole"]
    assert client.get(PATH, query={"search_string": "needle"}).json["total_hits"] == 1
    assert find(client, "thread") == []
    hit = client.get(PATH, query={"search_string": "needle"}).json["contents"][0]
    assert hit[f"{kind}_count"] == 2
    assert find(client, "needle", content_types="html-document") == ["whole"]
    assert find(client, "needle", content_types=kind) == []


def test_an_answer_to_a_comment_answers_the_content(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any
) -> None:
    note = make_content(make_space(), "whole")["content_id"]
    comment = part(kernel, note, "comment", "first")
    part(kernel, comment, "comment", "second")
    assert find(client, "second") == ["whole"]
    change(kernel, comment, "trashed_at = 1")
    assert find(client, "second") == []


# -- filters ------------------------------------------------------------------------------------------------


def test_types(client: Client, make_space: Any, make_content: Any, send_file: Any) -> None:
    space = make_space()
    make_content(space, "x note")
    make_content(space, "x folder", "folder")
    send_file(client, f"/api/workspaces/{space}/files", "x file.txt")
    assert sorted(find(client, "x")) == ["x file", "x folder", "x note"]
    assert sorted(find(client, "x", content_types="")) == ["x file", "x folder", "x note"]
    assert find(client, "x", content_types="folder") == ["x folder"]
    assert sorted(find(client, "x", content_types=" file , folder ")) == ["x file", "x folder"]
    assert find(client, "x", content_types="unknown") == []


TRASHED = "x trash-deleted-1970-01-01T00.00.00.000001"
ARCHIVED = "x old-archived-1970-01-01T00.00.00.000001"


def test_states(kernel: Kernel, client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    ids = {label: make_content(space, f"x {label}")["content_id"] for label in ("here", "trash", "old", "below")}
    change(kernel, ids["trash"], "trashed_at = 1, name_key = NULL")
    change(kernel, ids["old"], "archived_at = 1, name_key = NULL")
    change(kernel, ids["below"], f"hidden_by = {ids['trash']}")
    assert find(client, "x") == ["x here"]
    assert sorted(find(client, "x", show_deleted=1)) == ["x here", TRASHED]
    assert find(client, "x", show_deleted=1, show_active=0) == [TRASHED]
    assert find(client, "x", show_archived=1, show_active=0) == [ARCHIVED]
    assert find(client, "x", show_active=0) == []
    assert sorted(find(client, "x", show_archived=1, show_deleted=1)) == ["x here", ARCHIVED, TRASHED]
    hit = client.get(PATH, query={"search_string": "trash", "show_deleted": 1}).json["contents"][0]
    assert (hit["is_active"], hit["is_deleted"]) == (False, True)


def test_pages_have_exact_totals(client: Client, make_space: Any, make_content: Any, clock: Any) -> None:
    space = make_space()
    for n in range(7):
        make_content(space, f"x{n}")
        clock.move(1)
    newest = [f"x{n}" for n in reversed(range(7))]
    for page, labels in ((1, newest[:3]), (2, newest[3:6]), (3, newest[6:]), (4, []), (1_000_000_000, [])):
        answer = client.get(PATH, query={"search_string": "x", "size": 3, "page_nb": page}).json
        assert [c["label"] for c in answer["contents"]] == labels
        assert answer["total_hits"] == 7
    assert client.get(PATH, query={"search_string": "x", "size": 0}).json == {
        "contents": [], "total_hits": 7, "is_total_hits_accurate": True,
    }  # fmt: skip
    client.put(f"/api/workspaces/{space}/html-documents/{_id(client, 'x0')}", {"raw_content": "y"})
    assert find(client, "x", size=1) == ["x0"]


def test_ten_are_shown_unless_asked(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    for n in range(12):
        make_content(space, f"x{n}")
    assert len(find(client, "x")) == 10


def _id(client: Client, label: str) -> int:
    return int(client.get(PATH, query={"search_string": label}).json["contents"][0]["content_id"])


@pytest.mark.parametrize(
    "query",
    [
        "size=NaN", "size=-1", "size=1001", "size=1.5", "size=x", "size=", "page_nb=0", "page_nb=NaN", "page_nb=-1",
        "page_nb=99999999999999999999", "show_deleted=2", "show_deleted=NaN", "show_archived=-1", "show_active=x",
        "search_string=a%00b", "content_types=a%00b", f"content_types={'x' * 65}", f"content_types={'a,b,' * 9}é",
    ],
)  # fmt: skip
def test_wrong_values_cost_nothing(client: Client, statements: Any, query: str) -> None:
    client.get("/api/auth/whoami")
    with statements() as seen:
        answer = client.get(f"{PATH}?search_string=a&{query}")
    assert (answer.status, answer.code) == (400, 2001), query
    assert len(seen) <= 1  # who asks, and nothing more


def test_very_many_words(client: Client, make_space: Any, make_content: Any) -> None:
    make_content(make_space(), "needle")
    assert find(client, "needle " + " ".join(f"w{n}" for n in range(5000))) == ["needle"]
    assert find(client, "x" * 60_000) == []


# -- for whom -----------------------------------------------------------------------------------------------


def test_only_own_spaces_are_searched(
    kernel: Kernel, client: Client, as_actor: Any, make_space: Any, make_content: Any
) -> None:
    bob, root = as_actor("bob"), as_actor("root2", profile="administrators")
    secret, shared = (
        make_space("Secret", access_type="open"),
        make_space("Shared", members={bob.user_id: "reader"}),
    )
    hidden = make_content(secret, "x secret")["content_id"]
    client.post(f"/api/workspaces/{secret}/contents/{hidden}/tags", {"tag_name": "x"})
    make_content(shared, "x shared")
    assert find(bob, "x") == ["x shared"]
    assert bob.get(PATH, query={"search_string": "x"}).json["total_hits"] == 1
    assert find(bob, "secret") == []
    assert find(root, "x") == []
    assert sorted(find(client, "x")) == ["x secret", "x shared"]
    assert client.delete(f"/api/workspaces/{shared}/members/{bob.user_id}").status == 204
    assert find(bob, "x") == []
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE spaces_space SET is_deleted = 1 WHERE space_id = :s"), {"s": shared})
    assert find(client, "x") == ["x secret"]


def test_everybody_signed_in_may_search(world: Any) -> None:
    for who, person in world.people.items():
        answer = person.get(PATH, query={"search_string": "note"})
        if who in ("stranger", "deactivated"):
            assert (answer.status, answer.code) == (401, None)
        else:
            inside = who in ("reader", "contributor", "content-manager", "workspace-manager")
            assert answer.json["total_hits"] == (1 if inside else 0), who


# -- cost ---------------------------------------------------------------------------------------------------


def test_a_search_costs_the_same_whatever_it_finds(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any
) -> None:
    space = make_space()
    folder = make_content(space, "folder", "folder")["content_id"]
    make_content(space, "hit", parent_id=folder)
    columns = (
        "space_id, parent_id, parent_key, namespace, type, label, file_extension, filename, slug, status,"
        " sub_content_types, is_template, author_id, last_modifier_id, current_revision_id, current_revision_type,"
        " version_number, created, modified"
    )
    costs, done = [], 1
    for count in (10, 1000):
        with kernel.unit() as ctx:
            for _ in range(done, count):
                ctx.execute(
                    text(
                        f"INSERT INTO core_content_content ({columns}) SELECT {columns} FROM core_content_content"
                        " WHERE content_id = (SELECT MIN(content_id) FROM core_content_content WHERE label = 'hit')"
                    )
                )
        done = count
        upkeep.populate(kernel, lambda *_: None)
        client.get(PATH, query={"search_string": "hit", "size": 1000})
        with statements() as seen:
            answer = client.get(PATH, query={"search_string": "hit", "size": 1000}).json
        assert len(answer["contents"]) == answer["total_hits"] == count
        assert all(len(hit["path"]) == 2 for hit in answer["contents"])
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 6
