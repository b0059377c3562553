"""The search for people: whom a user finds, and what the answer tells of others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel


class Town:
    """Ada and Bob share the space A, Bob and Cyd share B; Dan is alone in C with the administrator."""

    def __init__(self, as_actor: Any, make_space: Any, kernel: Kernel) -> None:
        self.ada, self.bob, self.cyd, self.dan = (as_actor(n) for n in ("ada", "bob", "cyd", "dan"))
        self.boss = as_actor("boss", profile="trusted-users")
        self.kernel = kernel
        ids = {p: getattr(self, p).user_id for p in ("ada", "bob", "cyd", "dan")}
        self.a = make_space("A", {ids["ada"]: "reader", ids["bob"]: "reader"})
        self.b = make_space("B", {ids["bob"]: "reader", ids["cyd"]: "reader"})
        self.c = make_space("C", {ids["dan"]: "reader"})

    def names(self, person: Any, query: str = "") -> Any:
        answer = person.get(f"/api/users/{person.user_id}/known_members?{query}")
        return [u["username"] for u in answer.json] if answer.status == 200 else (answer.status, answer.code)

    def set(self, person: Any, change: str) -> None:
        with self.kernel.unit() as ctx:
            ctx.execute(text(f"UPDATE accounts_user SET {change} WHERE user_id = :u"), {"u": person.user_id})


@pytest.fixture
def town(as_actor: Any, make_space: Any, kernel: Kernel) -> Town:
    return Town(as_actor, make_space, kernel)


def test_people_of_common_spaces(town: Town, client: Any) -> None:
    listed = town.ada.get(f"/api/users/{town.ada.user_id}/known_members").json
    assert [(u["username"], u["workspace_ids"]) for u in listed] == [
        ("ada", [town.a]),
        ("bob", [town.a]),
        (None, [town.a]),
    ]
    assert set(listed[0]) == {
        "user_id", "username", "public_name", "has_avatar", "has_cover", "is_active", "workspace_ids"
    }  # fmt: skip
    assert town.names(town.bob) == ["ada", "bob", "cyd", None]
    assert town.names(town.boss) == []
    town.set(town.bob, "is_active = 0")
    assert town.names(town.ada) == ["ada", "bob", None], "a disabled account is a member still"
    town.set(town.bob, "is_deleted = 1")
    assert town.names(town.ada) == ["ada", None]
    client.put(f"/api/workspaces/{town.a}/trashed")
    assert town.names(town.ada) == []


def test_a_needle(town: Town) -> None:
    for needle, found in (
        ("ADa", ["ada"]),
        ("bob@", ["bob"]),
        ("example", ["ada", "bob"]),
        ("zz", []),
        ("%25%25", []),
        ("__", []),
    ):
        assert town.names(town.ada, f"acp={needle}") == found, needle
    assert town.names(town.ada, "acp=cyd") == [], "no space in common"
    for short in ("", "a", " a "):
        assert town.names(town.ada, f"acp={short}") == (400, 2070)
    town.set(town.bob, "is_active = 0")
    assert town.names(town.ada, "acp=example") == ["ada"]


def test_the_trusted_find_everybody(town: Town, client: Any) -> None:
    assert town.names(town.boss, "acp=cyd") == ["cyd"]
    found = client.get("/api/users/1/known_members?acp=dan").json
    assert [(u["username"], u["workspace_ids"]) for u in found] == [("dan", [town.c])]
    assert [
        u["workspace_ids"] for u in town.boss.get(f"/api/users/{town.boss.user_id}/known_members?acp=cyd").json
    ] == [[]]


@pytest.mark.atrio_config(accounts__known_members_filter=False)
def test_without_the_filter_everybody_finds_everybody(town: Town) -> None:
    assert town.names(town.ada, "acp=cyd") == ["cyd"]
    assert town.names(town.ada) == ["ada", "bob", None], "without a needle it is no directory"


def test_spaces_in_and_out(town: Town) -> None:
    assert town.names(town.bob, f"include_workspace_ids={town.a}") == ["ada", "bob", None]
    assert town.names(town.bob, f"include_workspace_ids={town.a},{town.b}") == ["ada", "bob", "cyd", None]
    assert town.names(town.bob, f"exclude_workspace_ids={town.a}") == ["cyd"]
    assert town.names(town.bob, f"acp=example&exclude_workspace_ids={town.b}") == ["ada"]
    assert town.names(town.bob, f"exclude_user_ids={town.ada.user_id},{town.bob.user_id},1") == ["cyd"]
    both = f"include_workspace_ids={town.a}&exclude_workspace_ids={town.b}"
    assert town.names(town.bob, both) == (400, None)
    assert town.names(town.bob, f"acp=a&include_workspace_ids={town.a}") == ["ada", "bob", None]
    assert town.names(town.bob, f"acp=&include_workspace_ids={town.b}") == ["bob", "cyd", None]
    assert town.names(town.bob, f"acp=y&include_workspace_ids={town.b}") == ["cyd"]
    assert town.names(town.bob, f"acp=c&include_workspace_ids={town.b},{town.c}") == (400, 2070)


def test_spaces_of_others_say_nothing(town: Town, client: Any) -> None:
    """Neither list tells who is in a space that the user does not see; the other system told."""
    assert town.names(town.ada, f"include_workspace_ids={town.b}") == []
    assert town.names(town.boss, f"acp=example&include_workspace_ids={town.b}") == []
    assert "cyd" in town.names(town.boss, f"acp=cyd&exclude_workspace_ids={town.b}")
    seen = client.get(f"/api/users/1/known_members?acp=example&exclude_workspace_ids={town.c}").json
    assert "dan" not in [u["username"] for u in seen]


def test_how_many(town: Town, as_actor: Any, make_space: Any) -> None:
    crowd = [as_actor(f"crowd{n}") for n in range(8)]
    space = make_space("Crowd", {p.user_id: "reader" for p in (*crowd, town.ada)})
    assert len(town.names(town.ada, "acp=crowd")) == 5
    assert len(town.names(town.ada, "acp=crowd&limit=7")) == 5
    assert len(town.names(town.ada, "acp=crowd&limit=2")) == 2
    assert len(town.names(town.ada, f"acp=crowd&limit=7&include_workspace_ids={space}")) == 7
    assert len(town.names(town.ada, f"acp=crowd&include_workspace_ids={space}")) == 5
    assert len(town.names(town.ada, f"acp=crowd&limit=7&include_workspace_ids={space},{town.c}")) == 5
    assert len(town.names(town.ada, "limit=4")) == 4
    assert len(town.names(town.ada)) == 11


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "exclude_user_ids=a",
        "include_workspace_ids=1;2",
        "exclude_workspace_ids=-1",
        "acp=%00%00",
        "acp=" + "x" * 1025,
    ],
)
def test_wrong_queries(town: Town, query: str) -> None:
    assert town.names(town.ada, query) == (400, 2001)


def test_members_of_a_common_space_know_each_other(town: Town, client: Any) -> None:
    """The permission `accounts.knows-user`: cards of users."""
    about = f"/api/users/{town.bob.user_id}/about"
    for person, known in ((town.ada, True), (town.cyd, True), (town.dan, False), (town.boss, True)):
        answer = person.get(about)
        assert answer.status == 200 if known else (answer.status, answer.code) == (400, 1001)
    client.put(f"/api/workspaces/{town.a}/trashed")
    assert town.ada.get(about).code == 1001
