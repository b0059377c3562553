"""How many bytes spaces hold: the sum of what all plugins answer."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from atrio import hookimpl
from atrio.kernel.host import Kernel

DIGEST = {"user_id", "username", "public_name", "has_avatar", "has_cover", "is_active"}


class Attic:
    """Keeps a thousand bytes in every space."""

    @staticmethod
    @hookimpl
    def space_sizes(ctx: Any, spaces: Any) -> int:
        return 1000 * int(ctx.execute(select(func.count()).select_from(spaces.subquery())).scalar_one())


def test_sizes(client: Any, as_actor: Any, make_space: Any, send_file: Any, kernel: Kernel) -> None:
    bob = as_actor("bob")
    first, second = make_space("A", {bob.user_id: "contributor"}), make_space("B")
    path = f"/api/workspaces/{first}/disk_space"
    assert client.get(path).json == {
        "workspace_id": first, "used_space": 0, "allowed_space": 0,
        "workspace": {"workspace_id": first, "label": "A", "slug": "a"},
    }  # fmt: skip
    send_file(bob, f"/api/workspaces/{first}/files", "a.bin", b"x" * 700)
    send_file(client, f"/api/workspaces/{second}/files", "a.bin", b"x" * 50)
    assert bob.get(path).json["used_space"] == 700
    owner = client.get("/api/users/1/disk_space").json
    assert set(owner) == {*DIGEST, "used_space", "allowed_space", "user"}
    assert (owner["used_space"], owner["allowed_space"], set(owner["user"])) == (750, 0, DIGEST)
    assert owner["user"] == {name: owner[name] for name in DIGEST}
    assert bob.get(f"/api/users/{bob.user_id}/disk_space").json["used_space"] == 0, (
        "who owns counts, not who writes"
    )
    kernel.hooks.register(Attic, "attic")
    assert client.get("/api/users/1/disk_space").json["used_space"] == 2750
    assert client.get(path).json["used_space"] == 1700
    client.put(f"/api/workspaces/{first}/trashed")
    gone = client.get(path).json
    assert gone["workspace"]["label"] == client.get(f"/api/workspaces/{first}").json["label"]


@pytest.mark.atrio_config(core_content__space_size=4096, accounts__default_allowed_space=99)
def test_limits_are_told(client: Any, as_actor: Any, make_space: Any) -> None:
    bob = as_actor("bob")
    assert client.get(f"/api/workspaces/{make_space()}/disk_space").json["allowed_space"] == 4096
    assert bob.get(f"/api/users/{bob.user_id}/disk_space").json["allowed_space"] == 99


def test_who_may_look(world: Any) -> None:
    for who, expected in (
        ("stranger", 401), ("deactivated", 401), ("user", 1002), ("trusted", 1002), ("reader", None), ("root", None)
    ):  # fmt: skip
        answer = world.people[who].get(world.path("/disk_space"))
        assert answer.status == 200 if expected is None else expected in (answer.status, answer.code), who
