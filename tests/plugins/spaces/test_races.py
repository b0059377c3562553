"""Two requests at the same moment: one wins, the other is refused with the code of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.testing.client import Client

SPACE = {"label": "A", "description": "", "access_type": "on_request", "default_user_role": "reader"}


def test_two_joins(at_once: Any, client: Client, as_actor: Any, make_space: Any) -> None:
    user, space = as_actor("bob").user_id, make_space(access_type="open")
    found = at_once([lambda c: c.post(f"/api/users/{user}/workspaces", {"workspace_id": space})] * 4)
    assert found == {(200, None): 1, (400, 3008): 3}
    assert client.get(f"/api/workspaces/{space}").json["number_of_members"] == 2


def test_two_accepts(at_once: Any, client: Client, as_actor: Any, make_space: Any, events: list[Any]) -> None:
    user, space = as_actor("bob").user_id, make_space(access_type="on_request")
    client.put(f"/api/users/{user}/workspace_subscriptions", {"workspace_id": space})
    del events[:]
    path = f"/api/workspaces/{space}/subscriptions/{user}/accept"
    found = at_once([lambda c: c.put(path, {"role": "reader"})] * 4)
    assert found == {(204, None): 1, (400, 3008): 3}
    assert [e.name for e in events] == ["space.subscription_modified", "space.member_added"]


def test_two_requests(at_once: Any, client: Client, as_actor: Any, make_space: Any) -> None:
    user, space = as_actor("bob").user_id, make_space(access_type="on_request")
    path = f"/api/users/{user}/workspace_subscriptions"
    assert at_once([lambda c: c.put(path, {"workspace_id": space})] * 4) == {(200, None): 4}
    assert len(client.get(path).json) == 1


def test_the_last_two_managers_leave(at_once: Any, client: Client, as_actor: Any, make_space: Any) -> None:
    user = as_actor("bob").user_id
    space = make_space(members={user: "workspace-manager"})
    base = f"/api/workspaces/{space}/members"
    found = at_once([
            lambda c: c.delete(f"{base}/1"), lambda c: c.delete(f"{base}/{user}"),
            lambda c: c.put(f"{base}/1", {"role": "reader"}), lambda c: c.put(f"{base}/{user}", {"role": "reader"}),
        ],
    )  # fmt: skip
    assert found[400, 3011] >= 1
    assert set(found) <= {(204, None), (200, None), (400, 3011), (400, 1005)}
    roles = [m["role"] for m in client.get(f"{base}?show_disabled_user=1").json]
    assert roles.count("workspace-manager") == 1


def test_one_member_is_removed_once(
    at_once: Any, client: Client, as_actor: Any, make_space: Any, events: list[Any]
) -> None:
    user = as_actor("bob").user_id
    space = make_space(members={user: "reader"})
    del events[:]
    found = at_once([lambda c: c.delete(f"/api/workspaces/{space}/members/{user}")] * 3)
    assert found == {(204, None): 1, (400, 1005): 2}
    assert [e.name for e in events] == ["space.member_removed"]


@pytest.mark.atrio_config(spaces__per_user=3)
def test_the_quota_counts_creations_at_the_same_moment(at_once: Any, client: Client) -> None:
    found = at_once([lambda c: c.post("/api/workspaces", SPACE)] * 6)
    assert found == {(200, None): 3, (400, 6001): 3}
    assert len(client.get("/api/workspaces").json) == 3


def test_one_address_is_invited_once(at_once: Any, client: Client, make_space: Any) -> None:
    spaces = [make_space(str(n)) for n in range(4)]

    def invite(space: int) -> Callable[[Client], Any]:
        return lambda c: c.post(f"/api/workspaces/{space}/members", {"user_email": "new@x.org", "role": "reader"})

    found = at_once([invite(space) for space in spaces])
    assert found == {(200, None): 4}
    assert [u["email"] for u in client.get("/api/users").json].count("new@x.org") == 1
