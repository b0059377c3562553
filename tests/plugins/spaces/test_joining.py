"""Ways into a space: joining an open one, asking for one on request, and what is seen of both from outside."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel

DIGEST = {"user_id", "username", "public_name", "has_avatar", "has_cover", "is_active"}


@pytest.fixture
def spaces(make_space: Any) -> dict[str, int]:
    """One space of each access type."""
    return {
        kind: make_space(kind.upper(), access_type=kind, default_user_role="contributor")
        for kind in ("open", "on_request", "confidential")
    }


def test_accessible_spaces(client: Any, as_actor: Any, spaces: dict[str, int]) -> None:
    bob = as_actor("bob")
    path = f"/api/users/{bob.user_id}/accessible_workspaces"
    listed = bob.get(path).json
    assert [s["label"] for s in listed] == ["ON_REQUEST", "OPEN"]
    assert listed[1] == client.get(f"/api/workspaces/{spaces['open']}").json
    assert client.get("/api/users/1/accessible_workspaces").json == []
    bob.post(f"/api/users/{bob.user_id}/workspaces", {"workspace_id": spaces["open"]})
    client.put(f"/api/workspaces/{spaces['on_request']}/trashed")
    assert client.get(path).json == []


def test_joining(client: Any, as_actor: Any, spaces: dict[str, int], events: list[Any]) -> None:
    bob = as_actor("bob")
    path = f"/api/users/{bob.user_id}/workspaces"
    assert [s["label"] for s in client.get(f"/api/users/{bob.user_id}/workspaces").json] == []
    del events[:]
    for kind in ("on_request", "confidential"):
        answer = bob.post(path, {"workspace_id": spaces[kind]})
        assert (answer.status, answer.code) == (400, 1002), kind
    assert bob.post(path, {"workspace_id": 9999}).code == 1002
    joined = bob.post(path, {"workspace_id": spaces["open"]})
    assert (joined.status, joined.json) == (200, bob.get(f"/api/workspaces/{spaces['open']}").json)
    assert "members" not in joined.json
    mine = bob.get(f"/api/workspaces/{spaces['open']}/members/{bob.user_id}").json
    assert (mine["role"], mine["email_notification_type"]) == ("contributor", "daily")
    assert [(e.name, e.role) for e in events] == [("space.member_added", 2)]
    again = bob.post(path, {"workspace_id": spaces["open"]})
    assert (again.status, again.code) == (400, 3008)


@pytest.mark.atrio_config(spaces__notification_on_invitation="weekly")
def test_an_administrator_lets_somebody_join(client: Any, as_actor: Any, spaces: dict[str, int]) -> None:
    bob = as_actor("bob")
    assert client.post(f"/api/users/{bob.user_id}/workspaces", {"workspace_id": spaces["open"]}).status == 200
    mine = client.get(f"/api/workspaces/{spaces['open']}/members/{bob.user_id}").json
    assert mine["email_notification_type"] == "weekly"


def test_nobody_joins_a_trashed_space(client: Any, as_actor: Any, spaces: dict[str, int]) -> None:
    bob = as_actor("bob")
    client.put(f"/api/workspaces/{spaces['open']}/trashed")
    assert bob.post(f"/api/users/{bob.user_id}/workspaces", {"workspace_id": spaces["open"]}).code == 1002


def test_disabled_and_deleted_accounts_do_not_come_in(
    client: Any, as_actor: Any, kernel: Kernel, spaces: dict[str, int]
) -> None:
    bob = as_actor("bob")
    asked = f"/api/users/{bob.user_id}/workspace_subscriptions"
    assert client.put(asked, {"workspace_id": spaces["on_request"]}).status == 200
    for column, code in (("is_active = 0", 2042), ("is_deleted = 1", 2043)):
        with kernel.unit() as ctx:
            ctx.execute(text(f"UPDATE accounts_user SET {column} WHERE user_id = :u"), {"u": bob.user_id})
        assert client.post(f"/api/users/{bob.user_id}/workspaces", {"workspace_id": spaces["open"]}).code == code
        assert client.put(asked, {"workspace_id": spaces["on_request"]}).code == code
        accept = f"/api/workspaces/{spaces['on_request']}/subscriptions/{bob.user_id}/accept"
        assert client.put(accept, {"role": "reader"}).code == code


def test_asking(client: Any, as_actor: Any, spaces: dict[str, int], clock: Any) -> None:
    bob = as_actor("bob")
    path = f"/api/users/{bob.user_id}/workspace_subscriptions"
    assert bob.get(path).json == []
    for kind in ("open", "confidential"):
        answer = bob.put(path, {"workspace_id": spaces[kind]})
        assert (answer.status, answer.code) == (400, 2069), kind
    assert bob.put(path, {"workspace_id": 9999}).code == 1002
    space = spaces["on_request"]
    asked = bob.put(path, {"workspace_id": space}).json
    assert set(asked) == {"state", "created_date", "workspace", "author", "evaluation_date", "evaluator"}
    assert asked["workspace"] == {"workspace_id": space, "label": "ON_REQUEST"}
    assert (set(asked["author"]), asked["author"]["user_id"]) == (DIGEST, bob.user_id)
    assert (asked["state"], asked["evaluation_date"], asked["evaluator"]) == ("pending", None, None)
    clock.move(60)
    assert client.put(f"/api/workspaces/{space}/subscriptions/{bob.user_id}/reject").status == 204
    (refused,) = bob.get(path).json
    assert (refused["state"], refused["evaluator"]["user_id"]) == ("rejected", 1)
    assert refused["evaluation_date"] > refused["created_date"] == asked["created_date"]
    assert client.get(f"/api/workspaces/{space}/subscriptions").json == [refused]
    clock.move(60)
    again = bob.put(path, {"workspace_id": space}).json
    assert (again["state"], again["evaluator"], again["evaluation_date"]) == ("pending", None, None)
    assert again["created_date"] > refused["evaluation_date"]
    client.put(f"/api/workspaces/{space}/trashed")
    assert bob.get(path).json == []
    label = client.get(f"/api/workspaces/{space}").json["label"]
    assert client.get(f"/api/workspaces/{space}/subscriptions").json[0]["workspace"]["label"] == label


def test_an_administrator_asks_for_the_user_of_the_path(client: Any, as_actor: Any, make_space: Any) -> None:
    """The other system asked for the administrator instead."""
    bob, ada = as_actor("bob"), as_actor("ada", profile="trusted-users")
    body = {"label": "A", "description": "", "access_type": "on_request", "default_user_role": "reader"}
    space = ada.post("/api/workspaces", body).json["workspace_id"]
    made = client.put(f"/api/users/{bob.user_id}/workspace_subscriptions", {"workspace_id": space}).json
    assert made["author"]["user_id"] == bob.user_id
    assert client.get("/api/users/1/workspace_subscriptions").json == []
    assert [s["author"]["user_id"] for s in ada.get(f"/api/workspaces/{space}/subscriptions").json] == [
        bob.user_id
    ]


def test_accepting_once(client: Any, as_actor: Any, spaces: dict[str, int]) -> None:
    bob = as_actor("bob")
    space = spaces["on_request"]
    base = f"/api/workspaces/{space}/subscriptions/{bob.user_id}"
    for verb, body in (("accept", {"role": "reader"}), ("reject", None)):
        answer = client.put(f"{base}/{verb}", body)
        assert (answer.status, answer.code) == (400, None), "nobody asked"
    bob.put(f"/api/users/{bob.user_id}/workspace_subscriptions", {"workspace_id": space})
    for wrong in ({}, {"role": "boss"}, {"role": None}):
        assert client.put(f"{base}/accept", wrong).code == 2001
    assert client.put(f"{base}/reject").status == client.put(f"{base}/reject").status == 204
    assert client.put(f"{base}/accept", {"role": "content-manager"}).status == 204, "a refusal can be taken back"
    assert bob.get(f"/api/workspaces/{space}/members/{bob.user_id}").json["role"] == "content-manager"
    for verb, body in (("accept", {"role": "reader"}), ("reject", None)):
        assert client.put(f"{base}/{verb}", body).code == 3008
    asked = bob.put(f"/api/users/{bob.user_id}/workspace_subscriptions", {"workspace_id": space})
    assert asked.code == 3008, "a member does not ask"
    bob.delete(f"/api/workspaces/{space}/members/{bob.user_id}")
    assert client.put(f"{base}/reject").status == 204
    assert bob.get(f"/api/users/{bob.user_id}/workspace_subscriptions").json[0]["state"] == "rejected"


@pytest.mark.parametrize(
    "body", [{}, {"workspace_id": None}, {"workspace_id": 0}, {"workspace_id": "x"}, {"workspace_id": 2**63}]
)
def test_wrong_bodies(as_actor: Any, body: Any) -> None:
    bob = as_actor("bob")
    for answer in (
        bob.post(f"/api/users/{bob.user_id}/workspaces", body),
        bob.put(f"/api/users/{bob.user_id}/workspace_subscriptions", body),
    ):
        assert (answer.status, answer.code, list(answer.json["details"])) == (400, 2001, ["workspace_id"])


def test_rights_on_what_belongs_to_a_user(
    client: Any, stranger: Any, as_actor: Any, spaces: dict[str, int], kernel: Kernel
) -> None:
    bob, eve, root = as_actor("bob"), as_actor("eve"), as_actor("root", profile="administrators")
    gone = as_actor("gone", active=False)
    u, w = f"/api/users/{bob.user_id}", spaces["open"]
    client.post(f"/api/workspaces/{w}/members", {"user_id": bob.user_id, "role": "reader"})
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"{u}/accessible_workspaces", None), ("GET", f"{u}/workspace_subscriptions", None),
        ("GET", f"{u}/workspaces", None), ("GET", f"{u}/workspaces/all/settings", None), ("GET", f"{u}/disk_space", None),
        ("GET", f"{u}/known_members", None),
        ("PUT", f"{u}/workspace_subscriptions", {"workspace_id": spaces["on_request"]}),
        ("PUT", f"{u}/workspaces/{w}/email_notification_type", {"email_notification_type": "none"}),
    ]  # fmt: skip
    for method, path, body in requests:
        for person, expected in ((stranger, (401, None)), (gone, (401, None)), (eve, (403, 4002))):
            answer = person.request(method, path, json_body=body)
            assert (answer.status, answer.code) == expected, (method, path)
        for person in (bob, root):
            assert person.request(method, path, json_body=body).status in (200, 204), (method, path)
        unknown = path.replace(u, "/api/users/9999")
        answer = root.request(method, unknown, json_body=body)
        assert (answer.status, answer.code) == (400, 1001), (method, path)


def test_rights_on_requests_of_a_space(client: Any, world: Any, kernel: Kernel) -> None:
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE spaces_space SET access_type = 'on_request'"))
    user = world.ids["user"]
    expected = {
        "stranger": (401, None), "deactivated": (401, None), "trusted": (400, 1002), "reader": (403, 4003),
        "contributor": (403, 4003), "content-manager": (403, 4003), "workspace-manager": None, "root": None,
    }  # fmt: skip
    for who, refusal in expected.items():
        client.put(f"/api/users/{user}/workspace_subscriptions", {"workspace_id": world.space})
        person = world.people[who]
        for method, rest, body in (
            ("GET", "/subscriptions", None), ("PUT", f"/subscriptions/{user}/reject", None),
            ("PUT", f"/subscriptions/{user}/accept", {"role": "reader"}),
        ):  # fmt: skip
            answer = person.request(method, world.path(rest), json_body=body)
            if refusal is None:
                assert answer.status in (200, 204), (who, rest, answer.body)
            else:
                assert (answer.status, answer.code) == refusal, (who, rest)
        client.delete(world.path(f"/members/{user}"))
    for text_id in ("abc", "-1", "1.5"):
        assert client.put(world.path(f"/subscriptions/{text_id}/reject")).code == 2021
