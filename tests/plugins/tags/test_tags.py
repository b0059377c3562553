"""Tags: made in a space, put on contents, seen and changed only there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD
from atrio.plugins.core_content.events import ContentCopied, ContentMoved
from atrio.plugins.tags.events import ContentTagged, ContentUntagged, TagCreated, TagDeleted


def _tag(client: Client, space: int, name: str) -> int:
    answer = client.post(f"/api/workspaces/{space}/tags", {"tag_name": name})
    assert answer.status == 200, answer.body
    return int(answer.json["tag_id"])


def _names(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status == 200, answer.body
    return [tag["tag_name"] for tag in answer.json]


# -- life ---------------------------------------------------------------------------------------------------


def test_life_of_a_tag_of_a_space(client: Client, make_space: Any, events: list[Any]) -> None:
    space = make_space()
    events.clear()
    path = f"/api/workspaces/{space}/tags"
    assert client.get(path).json == []
    made = client.post(path, {"tag_name": "  Été 😀 "})
    assert made.json == {"tag_id": made.json["tag_id"], "workspace_id": space, "tag_name": "Été 😀"}
    one = f"{path}/{made.json['tag_id']}"
    assert client.get(one).json == made.json
    assert client.get(path).json == [made.json]
    gone = client.delete(one)
    assert (gone.status, gone.body) == (204, b"")
    assert client.get(path).json == []
    assert (client.get(one).status, client.get(one).code) == (400, 1024)
    assert (client.delete(one).status, client.delete(one).code) == (400, 1024)
    tag_id = made.json["tag_id"]
    assert events == [TagCreated(tag_id, space, "Été 😀"), TagDeleted(tag_id, space, "Été 😀", ())]


def test_a_number_is_never_given_twice(client: Client, make_space: Any) -> None:
    space = make_space()
    first = _tag(client, space, "a")
    client.delete(f"/api/workspaces/{space}/tags/{first}")
    assert _tag(client, space, "b") > first


def test_a_name_is_taken_once_in_a_space(client: Client, make_space: Any) -> None:
    space, other = make_space("A"), make_space("B")
    _tag(client, space, "Red")
    again = client.post(f"/api/workspaces/{space}/tags", {"tag_name": "Red "})
    assert (again.status, again.code) == (400, 3014)
    _tag(client, space, "red")
    _tag(client, other, "Red")
    assert _names(client, f"/api/workspaces/{space}/tags") == ["Red", "red"]


@pytest.mark.parametrize(
    "body", [{}, {"tag_name": ""}, {"tag_name": "   "}, {"tag_name": None}, {"tag_name": 7}, {"tag_name": "x" * 256},
             {"tag_name": "a\x00b"}, {"name": "x"}],
)  # fmt: skip
def test_a_name_has_1_to_255_characters(
    client: Client, make_space: Any, make_content: Any, body: dict[str, Any]
) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    for path in (f"/api/workspaces/{space}/tags", f"/api/workspaces/{space}/contents/{note}/tags"):
        answer = client.post(path, body)
        assert (answer.status, answer.code) == (400, 2001)
    assert client.post(f"/api/workspaces/{space}/tags", {"tag_name": "é" * 255}).status == 200


def test_a_content_is_tagged_by_name(
    client: Client, make_space: Any, make_content: Any, events: list[Any]
) -> None:
    space = make_space()
    note, other = (make_content(space, label)["content_id"] for label in ("a", "b"))
    path = f"/api/workspaces/{space}/contents/{note}/tags"
    events.clear()
    made = client.post(path, {"tag_name": " urgent"})
    assert made.json == {"tag_id": made.json["tag_id"], "workspace_id": space, "tag_name": "urgent"}
    tag_id = made.json["tag_id"]
    assert events == [
        TagCreated(tag_id, space, "urgent"), ContentTagged(tag_id, note, space, "urgent")
    ]  # fmt: skip
    assert client.get(path).json == [made.json]
    again = client.post(path, {"tag_name": "urgent"})
    assert (again.status, again.code) == (400, 3014)
    events.clear()
    assert client.post(f"/api/workspaces/{space}/contents/{other}/tags", {"tag_name": "urgent"}).json == made.json
    assert events == [ContentTagged(tag_id, other, space, "urgent")]
    assert client.get(f"/api/workspaces/{space}/tags").json == [made.json]


def test_a_tag_is_put_on_and_taken_off(
    client: Client, make_space: Any, make_content: Any, events: list[Any]
) -> None:
    space = make_space()
    note = make_content(space, "a")["content_id"]
    tag_id = _tag(client, space, "t")
    path = f"/api/workspaces/{space}/contents/{note}/tags"
    events.clear()
    put = client.put(f"{path}/{tag_id}")
    assert put.json == {"tag_id": tag_id, "workspace_id": space, "tag_name": "t"}
    assert (client.put(f"{path}/{tag_id}").status, client.put(f"{path}/{tag_id}").code) == (400, 3014)
    assert client.get(path).json == [put.json]
    off = client.delete(f"{path}/{tag_id}")
    assert (off.status, off.body) == (204, b"")
    assert client.get(path).json == []
    off = client.delete(f"{path}/{tag_id}")
    assert (off.status, off.code) == (400, 1024)
    assert _names(client, f"/api/workspaces/{space}/tags") == ["t"]
    assert events == [ContentTagged(tag_id, note, space, "t"), ContentUntagged(tag_id, note, space, "t")]


def test_deleting_a_tag_takes_it_from_the_contents(
    client: Client, make_space: Any, make_content: Any, events: list[Any]
) -> None:
    space = make_space()
    notes = [make_content(space, label)["content_id"] for label in "ab"]
    for note in notes:
        client.post(f"/api/workspaces/{space}/contents/{note}/tags", {"tag_name": "t"})
    tag_id = client.get(f"/api/workspaces/{space}/tags").json[0]["tag_id"]
    events.clear()
    assert client.delete(f"/api/workspaces/{space}/tags/{tag_id}").status == 204
    assert events == [TagDeleted(tag_id, space, "t", tuple(notes))]
    assert client.get(f"/api/workspaces/{space}/contents/{notes[0]}/tags").json == []


def test_closed_contents_are_tagged_too(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    note = make_content(space, "a")["content_id"]
    closed = client.put(f"/api/workspaces/{space}/html-documents/{note}/status", {"status": "closed-validated"})
    assert closed.status == 204
    path = f"/api/workspaces/{space}/contents/{note}/tags"
    tag = client.post(path, {"tag_name": "t"})
    assert tag.status == 200
    assert client.delete(f"{path}/{tag.json['tag_id']}").status == 204


# -- rights -------------------------------------------------------------------------------------------------

READING = ("reader", "contributor", "content-manager", "workspace-manager")
OUTSIDE = {"stranger": (401, None), "deactivated": (401, None), "user": (400, 1002), "trusted": (400, 1002),
           "root": (403, 4003)}  # fmt: skip


@pytest.mark.parametrize("who", [*OUTSIDE, *READING])
def test_readers_see_and_contributors_change(world: Any, client: Client, who: str) -> None:
    person = world.people[who]
    tag_id = _tag(client, world.space, "shared")
    spare = _tag(client, world.space, "spare")
    of_note = world.path(f"/contents/{world.note}/tags")
    assert client.put(f"{of_note}/{spare}").status == 200
    reads = [world.path("/tags"), world.path(f"/tags/{tag_id}"), of_note]
    writes: list[tuple[str, str, Any, int]] = [
        ("POST", world.path("/tags"), {"tag_name": "mine"}, 200),
        ("POST", of_note, {"tag_name": "other"}, 200),
        ("PUT", f"{of_note}/{tag_id}", None, 200),
        ("DELETE", f"{of_note}/{spare}", None, 204),
        ("DELETE", world.path(f"/tags/{tag_id}"), None, 204),
    ]
    for path in reads:
        answer = person.get(path)
        assert (answer.status == 200) if who in READING else ((answer.status, answer.code) == OUTSIDE[who])
    for method, path, body, status in writes:
        answer = person.request(method, path, json_body=body)
        if who in READING[1:]:
            assert answer.status == status, (method, path, answer.body)
        else:
            assert (answer.status, answer.code) == OUTSIDE.get(who, (403, 4003)), (method, path)


def test_a_tag_of_another_space_is_not_there(client: Client, make_space: Any, make_content: Any) -> None:
    space, other = make_space("A"), make_space("B")
    foreign = _tag(client, other, "foreign")
    note = make_content(space, "n")["content_id"]
    requests = [
        ("GET", f"/api/workspaces/{space}/tags/{foreign}"),
        ("DELETE", f"/api/workspaces/{space}/tags/{foreign}"),
        ("PUT", f"/api/workspaces/{space}/contents/{note}/tags/{foreign}"),
        ("DELETE", f"/api/workspaces/{space}/contents/{note}/tags/{foreign}"),
    ]
    for method, path in requests:
        answer = client.request(method, path)
        assert (answer.status, answer.code) == (400, 1024), (method, path)
    assert _names(client, f"/api/workspaces/{other}/tags") == ["foreign"]
    elsewhere = client.get(f"/api/workspaces/{other}/contents/{note}/tags")
    assert (elsewhere.status, elsewhere.code) == (400, 1003)


@pytest.mark.parametrize(
    ("tag", "code"), [("abc", 2001), ("-1", 2001), ("1.5", 2001), ("NaN", 2001), ("0", 1024), ("9" * 30, 1024)]
)
def test_wrong_numbers(client: Client, make_space: Any, make_content: Any, tag: str, code: int) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    for method, path in (
        ("GET", f"tags/{tag}"), ("DELETE", f"tags/{tag}"), ("PUT", f"contents/{note}/tags/{tag}"),
        ("DELETE", f"contents/{note}/tags/{tag}"),
    ):  # fmt: skip
        answer = client.request(method, f"/api/workspaces/{space}/{path}")
        assert (answer.status, answer.code) == (400, code)
    for path, expected in ((f"contents/abc/tags/{tag}", 2023), (f"contents/{note + 99}/tags/{tag}", 1003)):
        assert client.put(f"/api/workspaces/{space}/{path}").code == expected


# -- races, moves, copies -----------------------------------------------------------------------------------


def _at_once(kernel: Kernel, times: int, call: Callable[[Client], Any]) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []

    def run() -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        answer = call(mine)
        found.append((answer.status, answer.json.get("code")))
        mine.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found, key=str)


def test_one_of_many_makes_a_tag(kernel: Kernel, client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    path = f"/api/workspaces/{space}/tags"
    assert _at_once(kernel, 6, lambda c: c.post(path, {"tag_name": "one"})) == [(200, None)] + [(400, 3014)] * 5
    by_name = f"/api/workspaces/{space}/contents/{note}/tags"
    assert _at_once(kernel, 6, lambda c: c.post(by_name, {"tag_name": "two"})) == [(200, None)] + [(400, 3014)] * 5
    assert _names(client, path) == ["one", "two"]
    assert _names(client, by_name) == ["two"]


def _moved(kernel: Kernel, content_ids: list[int], root: int, source: int, target: int) -> None:
    """Move contents as their owner does: the rows first, then one event for the top."""
    with kernel.unit() as ctx:
        for content_id in content_ids:
            ctx.execute(
                text("UPDATE core_content_content SET space_id = :s WHERE content_id = :c"),
                {"s": target, "c": content_id},
            )
        ctx.emit(ContentMoved(root, target, None, "folder", 1, "f", from_space_id=source))


def test_tags_follow_a_move_by_name(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, events: list[Any]
) -> None:
    source, target = make_space("A"), make_space("B")
    folder = make_content(source, "f", "folder")["content_id"]
    inner = make_content(source, "n", parent_id=folder)["content_id"]
    stays = make_content(source, "stays")["content_id"]
    known = _tag(client, target, "both")
    for content, names in ((folder, ("both", "new")), (inner, ("new", "deep")), (stays, ("both", "deep"))):
        for name in names:
            client.post(f"/api/workspaces/{source}/contents/{content}/tags", {"tag_name": name})
    old = client.get(f"/api/workspaces/{source}/tags").json
    events.clear()
    _moved(kernel, [folder, inner], folder, source, target)
    of_folder = client.get(f"/api/workspaces/{target}/contents/{folder}/tags").json
    of_inner = client.get(f"/api/workspaces/{target}/contents/{inner}/tags").json
    assert sorted(t["tag_name"] for t in of_folder) == ["both", "new"]
    assert sorted(t["tag_name"] for t in of_inner) == ["deep", "new"]
    assert {t["workspace_id"] for t in (*of_folder, *of_inner)} == {target}
    assert known in {t["tag_id"] for t in of_folder}
    assert client.get(f"/api/workspaces/{source}/tags").json == old
    assert sorted(_names(client, f"/api/workspaces/{source}/contents/{stays}/tags")) == ["both", "deep"]
    assert sorted(_names(client, f"/api/workspaces/{target}/tags")) == ["both", "deep", "new"]
    assert sorted(e.tag_name for e in events if isinstance(e, TagCreated)) == ["deep", "new"]
    assert {e.space_id for e in events if isinstance(e, TagCreated)} == {target}


def test_a_move_inside_a_space_changes_no_tag(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any
) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    path = f"/api/workspaces/{space}/contents/{note}/tags"
    client.post(path, {"tag_name": "t"})
    before = client.get(path).json
    with statements() as seen, kernel.unit() as ctx:
        ctx.emit(ContentMoved(note, space, None, "html-document", 1, "n", from_space_id=space))
    assert not any("tags_" in s for s in seen)
    assert client.get(path).json == before


def test_a_move_costs_the_same_whatever_its_size(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any
) -> None:
    costs = []
    for size in (2, 40):
        source, target = make_space(f"from {size}"), make_space(f"to {size}")
        notes = [make_content(source, f"n{i}")["content_id"] for i in range(size)]
        for i, note in enumerate(notes):
            client.post(f"/api/workspaces/{source}/contents/{note}/tags", {"tag_name": f"tag {i}"})
        with statements() as seen:
            _moved(kernel, notes, notes[0], source, target)
        costs.append(sum("tags_" in s for s in seen))
        assert len(_names(client, f"/api/workspaces/{target}/tags")) == size
        for i, note in enumerate(notes):
            assert _names(client, f"/api/workspaces/{target}/contents/{note}/tags") == [f"tag {i}"]
    assert costs[0] == costs[1] <= 4


def test_a_copy_has_the_tags_of_its_source(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, events: list[Any]
) -> None:
    space, other = make_space("A"), make_space("B")
    source = make_content(space, "source")["content_id"]
    here, there = make_content(space, "here")["content_id"], make_content(other, "there")["content_id"]
    for name in ("a", "b"):
        client.post(f"/api/workspaces/{space}/contents/{source}/tags", {"tag_name": name})
    _tag(client, other, "b")
    events.clear()
    with kernel.unit() as ctx:
        ctx.emit(ContentCopied(here, space, None, "html-document", 1, "here", source_id=source))
        ctx.emit(ContentCopied(there, other, None, "html-document", 1, "there", source_id=source))
    original = client.get(f"/api/workspaces/{space}/contents/{source}/tags").json
    assert client.get(f"/api/workspaces/{space}/contents/{here}/tags").json == original
    copied = client.get(f"/api/workspaces/{other}/contents/{there}/tags").json
    assert sorted(t["tag_name"] for t in copied) == ["a", "b"]
    assert {t["workspace_id"] for t in copied} == {other}
    assert [e.tag_name for e in events if isinstance(e, TagCreated)] == ["a"]


# -- cost ---------------------------------------------------------------------------------------------------


def test_lists_cost_the_same_whatever_their_length(
    kernel: Kernel, client: Client, make_space: Any, make_content: Any, statements: Any
) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    paths = (f"/api/workspaces/{space}/tags", f"/api/workspaces/{space}/contents/{note}/tags")
    found: dict[str, list[int]] = {path: [] for path in paths}
    done = 0
    for count in (10, 1000):
        with kernel.unit() as ctx:
            rows = [{"s": space, "n": f"t{i}", "c": note} for i in range(done, count)]
            ctx.execute(text("INSERT INTO tags_tag (space_id, name) VALUES (:s, :n)"), rows)
            ctx.execute(
                text(
                    "INSERT INTO tags_link (content_id, tag_id, created)"
                    " SELECT :c, tag_id, 1 FROM tags_tag WHERE space_id = :s AND name = :n"
                ),
                rows,
            )
        done = count
        for path in paths:
            with statements() as seen:
                assert len(client.get(path).json) == count
            found[path].append(len(seen))
    assert all(a == b <= 4 for a, b in found.values()), found
