"""Who knows whom, the card of a user, following, and lists that cost the same however long they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import ALLOW, Policy, abstain
from atrio.kernel.testing.client import Client
from tests.plugins.accounts.racing import race

ABOUT = {
    "user_id", "username", "public_name", "has_avatar", "has_cover", "created", "followers_count",
    "leaders_count", "authored_content_revisions_count", "authored_content_revisions_space_count",
}  # fmt: skip


def path(user_id: int, rest: str) -> str:
    return f"/api/users/{user_id}/{rest}"


def test_the_card(as_actor: Callable[..., Any], client: Client, stranger: Client) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    card = bob.get(path(bob.user_id, "about")).json
    assert set(card) == ABOUT
    assert (card["username"], card["has_avatar"], card["has_cover"]) == ("bob", True, False)
    assert (card["followers_count"], card["leaders_count"]) == (0, 0)
    assert bob.post(path(bob.user_id, "following"), {"user_id": eve.user_id}).status == 201
    assert client.post(path(1, "following"), {"user_id": bob.user_id}).status == 201
    assert eve.post(path(eve.user_id, "following"), {"user_id": bob.user_id}).status == 201
    card = client.get(path(bob.user_id, "about")).json
    assert (card["followers_count"], card["leaders_count"]) == (2, 1)
    assert stranger.get(path(bob.user_id, "about")).status == 401


def test_counts_come_from_whoever_knows_them(kernel: Kernel, client: Client) -> None:
    from sqlalchemy import literal

    from atrio.kernel.http.schema import FieldContributor

    given = {
        "authored_content_revisions_count": 12, "authored_content_revisions_space_count": 3, "invented": 9
    }  # fmt: skip
    for field, value in given.items():
        key = ("user_about", field)
        kernel.contributors[key] = FieldContributor(*key, lambda _id, v=value: literal(v))
    kernel._memo.clear()
    card = client.get(path(1, "about")).json
    assert card["authored_content_revisions_count"] == 12
    assert card["authored_content_revisions_space_count"] == 3
    assert set(card) == ABOUT, "nobody invents a field"


# -- who knows whom ------------------------------------------------------------------------------------------

KNOWN = ("about", "custom-properties", "avatar/raw/a", "avatar/preview/jpg/a", "avatar/preview/jpg/9x9/a")


def test_strangers_to_each_other(as_actor: Callable[..., Any], client: Client) -> None:
    bob, eve, ann = as_actor("bob"), as_actor("eve"), as_actor("ann", profile="trusted-users")
    for rest in KNOWN:
        for person in (bob, ann, client):
            assert person.get(path(bob.user_id, rest)).status == 200, rest
        answer = eve.get(path(bob.user_id, rest))
        assert (answer.status, answer.code) == (400, 1001), rest
        assert eve.get(path(4711, rest)).json == answer.json, "absent and unknown cannot be told apart"
    assert client.get(path(4711, "about")).code == client.get(path(0, "about")).code == 1001


@pytest.mark.atrio_config(accounts__known_members_filter=False)
def test_everybody_knows_everybody(as_actor: Callable[..., Any], kernel: Kernel) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    for rest in KNOWN:
        assert eve.get(path(bob.user_id, rest)).status == 200, rest
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET profile = 0 WHERE username = 'eve'"))
    assert eve.get(path(bob.user_id, "about")).code == 1001, "but who is nobody knows only himself"
    assert eve.get(path(eve.user_id, "about")).status == 200


def test_another_plugin_lets_people_know_each_other(kernel: Kernel, as_actor: Callable[..., Any]) -> None:
    bob, eve, ann = as_actor("bob"), as_actor("eve"), as_actor("ann")

    def friends(ctx: Any, user: Any) -> Any:
        return ALLOW if {ctx.actor.id, user.user_id} == {bob.user_id, eve.user_id} else abstain()

    kernel.rights.add("test", Policy("accounts.knows-user", friends))
    assert eve.get(path(bob.user_id, "about")).status == 200
    assert bob.get(path(eve.user_id, "about")).status == 200
    assert ann.get(path(bob.user_id, "about")).code == 1001


# -- following -----------------------------------------------------------------------------------------------


def test_following(as_actor: Callable[..., Any], client: Client, kernel: Kernel) -> None:
    bob, eve, ann = as_actor("bob"), as_actor("eve"), as_actor("ann")
    mine = path(bob.user_id, "following")
    assert bob.get(mine).json == {
        "items": [], "has_next": False, "has_previous": False, "next_page_token": "", "previous_page_token": "",
        "per_page": 10,
    }  # fmt: skip
    answer = bob.post(mine, {"user_id": eve.user_id})
    assert (answer.status, answer.json) == (201, {})
    again = bob.post(mine, {"user_id": str(eve.user_id)})
    assert (again.status, again.code) == (400, 3012)
    assert bob.post(mine, {"user_id": bob.user_id}).status == 201, "oneself too"
    assert bob.get(mine).json["items"] == [{"user_id": bob.user_id}, {"user_id": eve.user_id}]
    assert bob.get(mine, query={"user_id": eve.user_id}).json["items"] == [{"user_id": eve.user_id}]
    assert bob.get(mine, query={"user_id": ann.user_id}).json["items"] == []
    followers = eve.get(path(eve.user_id, "followers")).json
    assert followers["items"] == [{"user_id": bob.user_id}]
    for wrong in ({}, {"user_id": 0}, {"user_id": "x"}, {"user_id": None}):
        assert bob.post(mine, wrong).code == 2001, wrong
    assert bob.post(mine, {"user_id": 4711}).code == 1001
    assert client.put(path(ann.user_id, "trashed")).status == 204
    assert bob.post(mine, {"user_id": ann.user_id}).code == 1001
    assert eve.get(mine).code == eve.post(mine, {"user_id": 1}).code == 4002
    assert eve.get(path(bob.user_id, "followers")).code == eve.delete(f"{mine}/{eve.user_id}").code == 4002
    answer = bob.delete(f"{mine}/{eve.user_id}")
    assert (answer.status, answer.body) == (204, b"")
    answer = bob.delete(f"{mine}/{eve.user_id}")
    assert (answer.status, answer.code) == (400, None)
    assert client.post(mine, {"user_id": eve.user_id}).status == 201, "an administrator does it for him"
    assert bob.get(mine).json["items"] == [{"user_id": bob.user_id}, {"user_id": eve.user_id}]


def fill(kernel: Kernel, leader: int, number: int) -> None:
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM accounts_user WHERE creation_type = 'fill'"))
        rows = [{"n": f"fill{i:04}", "name": f"Fill {i:04}"} for i in range(number)]
        ctx.execute(
            text(
                "INSERT INTO accounts_user (email, username, public_name, profile, auth_type, timezone,"
                " allowed_space, is_active, is_deleted, has_cover, created, creation_type, version)"
                " VALUES (NULL, :n, :name, 1, 'unknown', '', 0, 1, 0, 0, 0, 'fill', 1)"
            ),
            rows,
        )
        ctx.execute(
            text(
                "INSERT INTO accounts_follow (follower_id, leader_id)"
                " SELECT user_id, :leader FROM accounts_user WHERE creation_type = 'fill'"
            ),
            {"leader": leader},
        )


@pytest.mark.parametrize("listed", ["followers", "following"])
def test_pages_of_follows(kernel: Kernel, client: Client, listed: str) -> None:
    fill(kernel, 1, 25)
    if listed == "following":
        with kernel.unit() as ctx:
            ctx.execute(
                text(
                    "INSERT INTO accounts_follow (follower_id, leader_id)"
                    " SELECT leader_id, follower_id FROM accounts_follow"
                )
            )
    where = path(1, listed)
    seen: list[int] = []
    page = client.get(where).json
    assert len(page["items"]) == 10
    back = []
    while True:
        seen += [item["user_id"] for item in page["items"]]
        if not page["has_next"]:
            break
        back.append([item["user_id"] for item in page["items"]])
        page = client.get(where, query={"count": 10, "page_token": page["next_page_token"]}).json
        assert page["has_previous"]
    assert len(seen) == 25
    assert seen == sorted(set(seen))
    page = client.get(where, query={"page_token": page["previous_page_token"]}).json
    assert [item["user_id"] for item in page["items"]] == back[-1]
    for wrong in ({"count": 0}, {"count": "x"}, {"page_token": "!"}, {"page_token": "eA=="}, {"user_id": 0}):
        answer = client.get(where, query=wrong)
        assert (answer.status, answer.code) == (400, 2001), wrong


def test_one_of_two_equal_follows(kernel: Kernel, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    assert bob.get("/api/auth/whoami").status == 200

    def follow() -> Any:
        mine = Client(kernel.app, bob.login, bob.password)
        try:
            return mine.post(path(bob.user_id, "following"), {"user_id": 1})
        finally:
            mine.close()

    answers = race([follow] * 4)
    assert sorted(a.status for a in answers) == [201, 400, 400, 400]
    assert {a.json.get("code") for a in answers if a.status == 400} == {3012}
    assert len(bob.get(path(bob.user_id, "following")).json["items"]) == 1


# -- what it costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["", "/1/followers?count=5000", "/1/about"])
def test_lists_cost_the_same_however_long(kernel: Kernel, client: Client, statements: Any, rest: str) -> None:
    counted = {}
    for number in (10, 1000):
        fill(kernel, 1, number)
        client.get(f"/api/users{rest}")
        with statements() as seen:
            answer = client.get(f"/api/users{rest}")
        assert answer.status == 200
        counted[number] = len(seen)
        if not rest:
            assert len(answer.json) == number + 1
            listed = [u["public_name"].lower() for u in answer.json]
            assert listed == sorted(listed)
    assert counted[10] == counted[1000] <= 4


def test_who_am_i_is_one_statement(kernel: Kernel, client: Client, stranger: Client, statements: Any) -> None:
    from atrio.kernel.testing.plugin import ADMIN, PASSWORD
    from atrio.plugins.accounts.api import issue_access_token

    client.get("/api/auth/whoami")
    assert stranger.post("/api/auth/login", {"email": ADMIN, "password": PASSWORD}).status == 200
    token = kernel.run(lambda ctx: issue_access_token(ctx, 1))
    for person, query in ((client, ""), (stranger, ""), (Client(kernel.app), f"?access_token={token}")):
        with statements() as seen:
            assert person.get(f"/api/auth/whoami{query}").status == 200
        assert len(seen) == 1


def test_writes_stay_small(kernel: Kernel, client: Client, as_actor: Callable[..., Any], statements: Any) -> None:
    from atrio.kernel.testing.plugin import PASSWORD

    bob = as_actor("bob")
    mine = {"loggedin_user_password": PASSWORD}
    asked: tuple[tuple[Any, str, str, Any], ...] = (
        (bob, "PUT", "", {"timezone": "UTC", "lang": "en"}),
        (bob, "PUT", "/email", {**mine, "email": "x@example.org"}),
        (bob, "PUT", "/config", {"parameters": {"a": 1}}),
        (bob, "PUT", "/custom-properties", {"parameters": {"tagline": "a"}}),
        (bob, "POST", "/following", {"user_id": 1}),
        (client, "PUT", "/profile", {"profile": "trusted-users"}),
        (client, "PUT", "/disabled", None),
        (client, "PUT", "/trashed", None),
    )
    for person, method, rest, body in asked:
        with statements() as seen:
            answer = person.request(method, f"/api/users/{bob.user_id}{rest}", json_body=body)
        assert answer.status in (200, 201, 204), answer.body
        assert len(seen) <= 20, (rest, seen)


def test_images_of_users_that_are_not_known_yet(client: Client) -> None:
    """Clients ask for `undefined` while they load: not found, and no fault."""
    for rest in ("avatar/raw/x", "avatar/preview/jpg/100x100/x", "about"):
        first = client.get(f"/api/users/undefined/{rest}")
        assert first.status == 307
        answer = client.get(first.headers["location"])
        assert (answer.status, answer.code) == (404, 9999)
    assert client.get("/api/users/undefined/avatar/raw/").status == 404
