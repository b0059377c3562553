"""Members: added, invited, given roles, removed; their settings."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel


def test_an_unknown_address_is_invited(client: Any, as_actor: Any, make_space: Any, events: list[Any]) -> None:
    trusted = as_actor("ada", profile="trusted-users")
    space = make_space(members={trusted.user_id: "workspace-manager"})
    del events[:]
    made = trusted.post(
        f"/api/workspaces/{space}/members", {"user_email": "New One <New.One@Example.org>", "role": "contributor"}
    )
    assert (made.status, made.json["newly_created"], made.json["role"]) == (200, True, "contributor")
    assert made.json["user"]["public_name"] == "New One"
    assert [e.name for e in events] == ["user.created", "space.member_added"]
    account = client.get(f"/api/users/{made.json['user_id']}").json
    assert (account["email"], account["profile"], account["auth_type"]) == (
        "new.one@example.org",
        "users",
        "unknown",
    )
    again = trusted.post(
        f"/api/workspaces/{space}/members", {"user_email": "new.one@example.org", "role": "reader"}
    )
    assert (again.status, again.code) == (400, 3008)
    other = make_space("B", {trusted.user_id: "workspace-manager"})
    known = trusted.post(
        f"/api/workspaces/{other}/members", {"user_email": "new.one@example.org", "role": "reader"}
    )
    assert (known.status, known.json["newly_created"]) == (200, False)


def test_who_may_not_invite_meets_an_unknown_user(client: Any, as_actor: Any, make_space: Any) -> None:
    bob = as_actor("bob")
    space = make_space(members={bob.user_id: "workspace-manager"})
    answer = bob.post(f"/api/workspaces/{space}/members", {"user_email": "x@y.org", "role": "reader"})
    assert (answer.status, answer.code) == (400, 1001)
    assert "x@y.org" not in [u["email"] for u in client.get("/api/users").json]
    assert (
        client.post(f"/api/workspaces/{space}/members", {"user_username": "nobody", "role": "reader"}).code == 1001
    )
    assert client.post(f"/api/workspaces/{space}/members", {"user_id": 9999, "role": "reader"}).code == 1001
    assert client.post(f"/api/workspaces/{space}/members", {"role": "reader"}).code == 1001


def test_a_user_id_must_be_a_number(world: Any, client: Any) -> None:
    for text_id in ("abc", "1x", "-1"):
        path = world.path(f"/members/{text_id}")
        for method, body in (("GET", None), ("PUT", {"role": "reader"}), ("DELETE", None)):
            answer = client.request(method, path, json_body=body)
            assert (answer.status, answer.code) == (400, 2021), (method, text_id)
            outside = world.people["trusted"].request(method, path, json_body=body)
            assert outside.code == 1002, "rights come first"
    for method, body in (("GET", None), ("PUT", {"role": "reader"}), ("DELETE", None)):
        for number in ("9999", "9" * 30):
            answer = client.request(method, world.path(f"/members/{number}"), json_body=body)
            assert (answer.status, answer.code) == (400, 1005), (method, number)


def test_the_last_manager_stays(client: Any, as_actor: Any, make_space: Any) -> None:
    bob = as_actor("bob")
    space = make_space(members={bob.user_id: "workspace-manager"})
    mine, his = f"/api/workspaces/{space}/members/1", f"/api/workspaces/{space}/members/{bob.user_id}"
    assert client.delete(mine).status == 204
    for answer in (bob.delete(his), client.delete(his), client.put(his, {"role": "reader"})):
        assert (answer.status, answer.code) == (400, 3011)
    assert client.put(his, {"role": "workspace-manager"}).status == 200, "nothing changes"


def test_settings_of_a_user(client: Any, as_actor: Any, make_space: Any) -> None:
    bob = as_actor("bob")
    top = make_space("Top", {bob.user_id: "reader"})
    child = make_space("Child", {bob.user_id: "contributor"}, parent_id=top)
    make_space("Other")
    path = f"/api/users/{bob.user_id}/workspaces/all/settings"
    listed = bob.get(path).json
    assert [(m["workspace"]["label"], m["role"]) for m in listed] == [("Child", "contributor"), ("Top", "reader")]
    assert listed[1] == client.get(f"/api/workspaces/{top}/members/{bob.user_id}").json
    assert [m["workspace_id"] for m in bob.get(f"{path}?parent_ids=0").json] == [top]
    assert [m["workspace_id"] for m in bob.get(f"{path}?parent_ids={top}").json] == [child]
    assert bob.get(f"{path}?show_workspace_with_role=0").json == []
    assert len(client.get("/api/users/1/workspaces/all/settings?show_workspace_with_role=0").json) == 3
    assert bob.get(f"{path}?show_owned_workspace=0&show_workspace_with_role=0").json == []
    for wrong in ("parent_ids=x", "show_owned_workspace=2", "show_workspace_with_role=x"):
        assert bob.get(f"{path}?{wrong}").code == 2001
    client.put(f"/api/workspaces/{top}/trashed")
    assert [m["workspace_id"] for m in bob.get(path).json] == [child]


def test_how_a_member_is_told(client: Any, as_actor: Any, make_space: Any, events: list[Any]) -> None:
    bob = as_actor("bob")
    space = make_space(members={bob.user_id: "contributor"})
    path = f"/api/users/{bob.user_id}/workspaces/{space}/email_notification_type"
    key = "email_notification_type"
    del events[:]
    for kind in ("individual", "none", "hourly", "weekly", "daily", "daily"):
        assert bob.put(path, {key: kind}).status == 204
        assert bob.get(f"/api/workspaces/{space}/members/{bob.user_id}").json[key] == kind
    assert [(e.name, e.role) for e in events] == [("space.member_modified", 2)] * 5, "the same again is no change"
    for wrong in ({}, {key: "sometimes"}, {key: None}, {key: 5}):
        answer = bob.put(path, wrong)
        assert (answer.status, answer.code) == (400, 2001)
    for other in (9999, make_space("B"), "9" * 30):
        answer = bob.put(path.replace(f"workspaces/{space}", f"workspaces/{other}"), {key: "none"})
        assert (answer.status, answer.code) == (400, 1005), "no member, or no space: told alike"
    assert bob.put(path.replace(f"workspaces/{space}", "workspaces/abc"), {key: "none"}).code == 2001


def test_disabled_members_are_shown_when_asked_for(
    client: Any, as_actor: Any, make_space: Any, kernel: Kernel
) -> None:
    bob = as_actor("bob")
    space = make_space(members={bob.user_id: "reader"})
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET is_active = 0 WHERE user_id = :u"), {"u": bob.user_id})
    for rest in ("members", "role"):
        path = f"/api/workspaces/{space}/{rest}"
        assert [m["user_id"] for m in client.get(path).json] == [1]
        shown = client.get(f"{path}?show_disabled_user=1").json
        assert [(m["user_id"], m["is_active"]) for m in shown] == [(1, True), (bob.user_id, False)]
        assert client.get(f"{path}?show_disabled_user=7").code == 2001


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": 1}, {"user_id": 1, "role": "boss"}, {"user_id": 0, "role": "reader"}, {"user_id": "x", "role": "reader"},
        {"user_email": "nobody", "role": "reader"}, {"user_email": "a;b@c", "role": "reader"},
        {"user_username": "ab", "role": "reader"}, {"user_username": "x" * 256, "role": "reader"},
    ],
)  # fmt: skip
def test_wrong_additions(client: Any, make_space: Any, body: Any) -> None:
    answer = client.post(f"/api/workspaces/{make_space()}/members", body)
    assert (answer.status, answer.code) == (400, 2001)
