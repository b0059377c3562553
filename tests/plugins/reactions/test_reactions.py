"""Reactions: each value once for a user and a content, taken back by their author or a workspace-manager."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD
from atrio.plugins.reactions.events import ReactionCreated, ReactionDeleted

OUTSIDE = {"stranger": (401, None), "deactivated": (401, None), "user": (400, 1002), "trusted": (400, 1002),
           "root": (403, 4003)}  # fmt: skip
MEMBERS = ("reader", "contributor", "content-manager", "workspace-manager")


@pytest.fixture
def place(make_space: Any, make_content: Any) -> str:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    return f"/api/workspaces/{space}/contents/{note}/reactions"


def test_life_of_a_reaction(client: Client, place: str, events: list[Any], clock: Any) -> None:
    events.clear()
    assert client.get(place).json == []
    made = client.post(place, {"value": " 👍🏽 "})
    assert made.status == 200
    reaction_id = made.json["reaction_id"]
    space, note = int(place.split("/")[3]), int(place.split("/")[5])
    assert made.json == {
        "reaction_id": reaction_id, "content_id": note, "value": "👍🏽", "created": made.json["created"],
        "author": {
            "user_id": 1, "has_avatar": True, "has_cover": False, "public_name": made.json["author"]["public_name"],
            "username": None, "is_active": True,
        },
    }  # fmt: skip
    assert made.json["created"].endswith("Z")
    assert len(made.json["created"]) == 20
    assert client.get(f"{place}/{reaction_id}").json == made.json
    assert client.get(place).json == [made.json]
    gone = client.delete(f"{place}/{reaction_id}")
    assert (gone.status, gone.body) == (204, b"")
    assert client.get(place).json == []
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"{place}/{reaction_id}")
        assert (answer.status, answer.code) == (400, 1022)
    told = (reaction_id, note, space, 1, "👍🏽", clock.now())
    assert events == [ReactionCreated(*told), ReactionDeleted(*told)]


def test_each_value_once_for_each_user(client: Client, place: str, as_actor: Any) -> None:
    for value in ("👍", "👍🏽", "A", "a", "❤", "❤️"):
        assert client.post(place, {"value": value}).status == 200, value
    again = client.post(place, {"value": "👍"})
    assert (again.status, again.code) == (400, 3013)
    bob = as_actor("bob")
    space = place.split("/")[3]
    client.post(f"/api/workspaces/{space}/members", {"user_id": bob.user_id, "role": "contributor"})
    assert bob.post(place, {"value": "👍"}).status == 200
    assert [r["value"] for r in client.get(place).json] == ["👍", "👍🏽", "A", "a", "❤", "❤️", "👍"]
    assert client.get(place).json[-1]["author"]["user_id"] == bob.user_id


def test_one_of_many_wins(kernel: Kernel, client: Client, place: str) -> None:
    found: list[tuple[int, Any]] = []

    def react() -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        answer = mine.post(place, {"value": "👍"})
        found.append((answer.status, answer.json.get("code")))
        mine.close()

    threads = [threading.Thread(target=react) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [(200, None)] + [(400, 3013)] * 5
    assert len(client.get(place).json) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"value": ""}, {"value": "  "}, {"value": None}, {"value": 1}, {"value": "x" * 256}, {"value": "\x00"}],
)
def test_a_value_has_1_to_255_characters(client: Client, place: str, body: dict[str, Any]) -> None:
    answer = client.post(place, body)
    assert (answer.status, answer.code) == (400, 2001)
    assert client.post(place, {"value": "😀" * 255}).status == 200


@pytest.mark.parametrize(
    ("number", "code"), [("abc", 2025), ("-1", 2025), ("1.0", 2025), ("NaN", 2025), ("0", 1022), ("9" * 40, 1022)]
)
def test_wrong_numbers(client: Client, place: str, number: str, code: int) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"{place}/{number}")
        assert (answer.status, answer.code) == (400, code)


def test_a_reaction_belongs_to_its_content(client: Client, make_space: Any, make_content: Any) -> None:
    space, other = make_space("A"), make_space("B")
    a, b, c = make_content(space, "a"), make_content(space, "b"), make_content(other, "c")
    mine = f"/api/workspaces/{space}/contents/{a['content_id']}/reactions"
    number = client.post(mine, {"value": "x"}).json["reaction_id"]
    for elsewhere in (
        f"/api/workspaces/{space}/contents/{b['content_id']}/reactions/{number}",
        f"/api/workspaces/{other}/contents/{c['content_id']}/reactions/{number}",
    ):
        for method in ("GET", "DELETE"):
            assert client.request(method, elsewhere).code == 1022
    wrong_space = client.get(f"/api/workspaces/{other}/contents/{a['content_id']}/reactions/{number}")
    assert (wrong_space.status, wrong_space.code) == (400, 1003)
    assert client.get(f"{mine}/{number}").status == 200


def test_closed_contents_take_reactions(client: Client, place: str) -> None:
    _, _, _, space, _, note, _ = place.split("/")
    closed = client.put(f"/api/workspaces/{space}/html-documents/{note}/status", {"status": "closed-validated"})
    assert closed.status == 204
    assert client.post(place, {"value": "x"}).status == 200


@pytest.mark.parametrize("who", [*OUTSIDE, *MEMBERS])
def test_readers_see_and_contributors_react(world: Any, client: Client, who: str) -> None:
    path = world.path(f"/contents/{world.note}/reactions")
    number = client.post(path, {"value": "x"}).json["reaction_id"]
    person = world.people[who]
    for read in (path, f"{path}/{number}"):
        answer = person.get(read)
        assert answer.status == 200 if who in MEMBERS else (answer.status, answer.code) == OUTSIDE[who]
    answer = person.post(path, {"value": "y"})
    if who in MEMBERS[1:]:
        assert answer.status == 200
    else:
        assert (answer.status, answer.code) == OUTSIDE.get(who, (403, 4003))


@pytest.mark.parametrize("who", [*OUTSIDE, *MEMBERS])
def test_a_foreign_reaction_is_taken_away_by_workspace_managers_only(world: Any, client: Client, who: str) -> None:
    path = world.path(f"/contents/{world.note}/reactions")
    number = client.post(path, {"value": "x"}).json["reaction_id"]
    answer = world.people[who].delete(f"{path}/{number}")
    if who == "workspace-manager":
        assert answer.status == 204
    else:
        assert (answer.status, answer.code) == OUTSIDE.get(who, (403, 4003))
        assert client.get(f"{path}/{number}").status == 200


def test_an_author_takes_his_back_while_he_is_a_contributor(world: Any, client: Client) -> None:
    path = world.path(f"/contents/{world.note}/reactions")
    author = world.people["contributor"]
    first, second = (author.post(path, {"value": v}).json["reaction_id"] for v in "ab")
    assert author.delete(f"{path}/{first}").status == 204
    member = world.path(f"/members/{author.user_id}")
    assert client.put(member, {"role": "reader"}).status == 200
    refused = author.delete(f"{path}/{second}")
    assert (refused.status, refused.code) == (403, 4003)


def test_the_list_costs_the_same_whatever_its_length(
    kernel: Kernel, client: Client, place: str, statements: Any
) -> None:
    note = int(place.split("/")[5])
    costs, done = [], 0
    for count in (10, 1000):
        with kernel.unit() as ctx:
            ctx.execute(
                text("INSERT INTO reactions_reaction (content_id, user_id, value, created) VALUES (:c, 1, :v, 1)"),
                [{"c": note, "v": f"v{i}"} for i in range(done, count)],
            )
        done = count
        with statements() as seen:
            assert len(client.get(place).json) == count
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4
