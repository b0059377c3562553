"""Spaces on PostgreSQL and MariaDB: their way, their races, and a purge of a deep tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
SPACE = {"label": "Été 😀", "description": "<p>é</p>", "access_type": "on_request", "default_user_role": "reader"}


def test_the_way_of_a_space(client: Client, as_actor: Any) -> None:
    bob = as_actor("bob")
    space = client.post("/api/workspaces", SPACE).json["workspace_id"]
    base, user = f"/api/workspaces/{space}", f"/api/users/{bob.user_id}"
    assert [s["label"] for s in bob.get(f"{user}/accessible_workspaces").json] == ["Été 😀"]
    for _ in range(2):
        asked = bob.put(f"{user}/workspace_subscriptions", {"workspace_id": space})
        assert asked.json["state"] == "pending"
    assert client.put(f"{base}/subscriptions/{bob.user_id}/accept", {"role": "contributor"}).status == 204
    assert bob.get(f"{user}/workspace_subscriptions").json[0]["state"] == "accepted"
    assert bob.get(f"{user}/workspaces/all/settings").json[0]["role"] == "contributor"
    assert client.put(base, {"label": "B", "agenda_enabled": False}).json["slug"] == "b"
    assert [u["username"] for u in bob.get(f"{user}/known_members?acp=BOB@").json] == ["bob"]
    assert len(bob.get(f"{user}/known_members").json) == 2
    assert bob.get(f"{base}/disk_space").json["used_space"] == 0
    assert client.get("/api/users/1/disk_space").json["used_space"] == 0
    assert client.put(f"{base}/trashed").status == 204
    assert client.get(base).json["label"].startswith("B-deleted-")
    assert bob.get(f"{user}/workspaces").json == []
    assert client.put(f"{base}/trashed/restore").status == 204
    assert [s["label"] for s in bob.get(f"{user}/workspaces").json] == ["B"]
    assert bob.delete(f"{base}/members/{bob.user_id}").status == 204


def test_races(at_once: Any, client: Client, as_actor: Any) -> None:
    bob = as_actor("bob")
    opened = client.post("/api/workspaces", {**SPACE, "access_type": "open"}).json["workspace_id"]
    asked = client.post("/api/workspaces", SPACE).json["workspace_id"]
    user, base = f"/api/users/{bob.user_id}", f"/api/workspaces/{asked}"
    joins: list[Callable[[Client], Any]] = [lambda c: c.post(f"{user}/workspaces", {"workspace_id": opened})] * 4
    assert at_once(joins) == {(200, None): 1, (400, 3008): 3}
    requests = [lambda c: c.put(f"{user}/workspace_subscriptions", {"workspace_id": asked})] * 4
    assert at_once(requests) == {(200, None): 4}
    accepts = [lambda c: c.put(f"{base}/subscriptions/{bob.user_id}/accept", {"role": "workspace-manager"})] * 4
    assert at_once(accepts) == {(204, None): 1, (400, 3008): 3}
    leaving = [lambda c: c.delete(f"{base}/members/1"), lambda c: c.delete(f"{base}/members/{bob.user_id}")]
    assert at_once(leaving) == {(204, None): 1, (400, 3011): 1}


@pytest.mark.atrio_config(spaces__per_user=3)
def test_the_quota_counts_creations_at_the_same_moment(at_once: Any, client: Client) -> None:
    assert at_once([lambda c: c.post("/api/workspaces", SPACE)] * 6) == {(200, None): 3, (400, 6001): 3}


def test_moves_that_would_make_a_ring(kernel: Kernel, client: Client) -> None:
    from atrio.plugins.spaces.errors import ParentLoop
    from atrio.plugins.spaces.services import move_space

    one, two = (client.post("/api/workspaces", SPACE).json["workspace_id"] for _ in range(2))
    kernel.run(lambda ctx: move_space(ctx, one, two))
    with pytest.raises(ParentLoop):
        kernel.run(lambda ctx: move_space(ctx, two, one))


def test_a_deep_tree_goes_with_its_space(kernel: Kernel, client: Client) -> None:
    """MariaDB cascades through so many levels of one table and no further."""
    from atrio.plugins.spaces.services import purge_space

    space = client.post("/api/workspaces", SPACE).json["workspace_id"]
    parent = None
    for depth in range(20):
        body = {"label": f"d{depth}", "content_type": "folder", "parent_id": parent}
        parent = client.post(f"/api/workspaces/{space}/contents", body).json["content_id"]
    kernel.run(lambda ctx: purge_space(ctx, space))
    assert client.get(f"/api/workspaces/{space}").code == 1002
