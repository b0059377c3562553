"""The life of a space through HTTP: made, changed, asked for, joined, given sub-spaces, trashed, restored."""

from __future__ import annotations

from typing import Any

import pytest

SPACE = {"description": "", "access_type": "on_request", "default_user_role": "contributor"}
FULL = {
    "workspace_id", "label", "slug", "description", "access_type", "default_user_role", "created", "owner",
    "sidebar_entries", "is_deleted", "agenda_enabled", "public_upload_enabled", "public_download_enabled",
    "publication_enabled", "parent_id", "number_of_members",
}  # fmt: skip


def test_from_creation_to_restore(client: Any, as_actor: Any, events: list[Any]) -> None:
    ada, bob, cy = as_actor("ada", profile="trusted-users"), as_actor("bob"), as_actor("cyd")
    del events[:]
    made = ada.post("/api/workspaces", {"label": " Été ", **SPACE})
    assert (made.status, set(made.json)) == (200, FULL)
    space = made.json["workspace_id"]
    base = f"/api/workspaces/{space}"
    assert (made.json["label"], made.json["slug"], made.json["number_of_members"]) == ("Été", "ete", 1)
    assert [e.name for e in events] == ["space.member_added", "space.created"]
    del events[:]
    # somebody asks, is refused, asks again and is let in
    asked = bob.put(f"/api/users/{bob.user_id}/workspace_subscriptions", {"workspace_id": space})
    assert (asked.status, asked.json["state"], asked.json["evaluator"]) == (200, "pending", None)
    assert ada.put(f"{base}/subscriptions/{bob.user_id}/reject").status == 204
    assert bob.get(base).code == 1002
    bob.put(f"/api/users/{bob.user_id}/workspace_subscriptions", {"workspace_id": space})
    assert ada.put(f"{base}/subscriptions/{bob.user_id}/accept", {"role": "content-manager"}).status == 204
    assert bob.get(base).json["number_of_members"] == 2
    assert [(e.name, getattr(e, "state", None)) for e in events] == [
        ("space.subscription_requested", None), ("space.subscription_modified", "rejected"),
        ("space.subscription_modified", "pending"), ("space.subscription_modified", "accepted"),
        ("space.member_added", None),
    ]  # fmt: skip
    # roles
    assert bob.put(f"{base}/members/{ada.user_id}", {"role": "reader"}).code == 4003
    assert (
        ada.put(f"{base}/members/{bob.user_id}", {"role": "workspace-manager"}).json["role"] == "workspace-manager"
    )
    # a sub-space inherits nothing
    child = ada.post("/api/workspaces", {"label": "Child", **SPACE, "parent_id": space}).json["workspace_id"]
    assert ada.get(f"/api/workspaces/{child}").json["parent_id"] == space
    assert bob.get(f"/api/workspaces/{child}").code == 1002
    assert [s["label"] for s in ada.get(f"/api/users/{ada.user_id}/workspaces?parent_ids={space}").json] == [
        "Child"
    ]
    # away and back
    del events[:]
    assert ada.put(f"{base}/trashed").status == 204
    gone = ada.get(base).json
    assert (gone["is_deleted"], gone["label"].startswith("Été-deleted-20")) == (True, True)
    assert gone["slug"].startswith("ete-deleted-20")
    for person in (ada, bob):
        listed = person.get(f"/api/users/{person.user_id}/workspaces").json
        assert space not in [s["workspace_id"] for s in listed]
    assert ada.get(f"/api/workspaces/{child}").json["is_deleted"] is False
    assert ada.get(f"/api/workspaces/{child}").json["parent_id"] == space
    assert cy.put(f"/api/users/{cy.user_id}/workspace_subscriptions", {"workspace_id": space}).code == 1002
    assert ada.put(f"{base}/trashed/restore").status == 204
    back = ada.get(base).json
    assert (back["label"], back["slug"], back["is_deleted"]) == ("Été", "ete", False)
    assert [e.name for e in events] == ["space.trashed", "space.restored"]
    assert [m["user_id"] for m in bob.get(f"{base}/role").json] == [ada.user_id, bob.user_id]


def test_trash_and_restore_again_do_nothing(client: Any, make_space: Any, events: list[Any]) -> None:
    base = f"/api/workspaces/{make_space('A')}"
    del events[:]
    assert client.put(f"{base}/trashed/restore").status == 204
    assert events == []
    client.put(f"{base}/trashed")
    label = client.get(base).json["label"]
    assert client.put(f"{base}/trashed").status == 204
    assert client.get(base).json["label"] == label
    assert [e.name for e in events] == ["space.trashed"]


def test_a_trashed_space_is_renamed_for_good(client: Any, make_space: Any) -> None:
    base = f"/api/workspaces/{make_space('A')}"
    client.put(f"{base}/trashed")
    shown = client.get(base).json["label"]
    assert client.put(base, {"label": shown, "description": "x"}).json["label"] == shown
    assert client.put(base, {"label": "B"}).json["label"].startswith("B-deleted-")
    nested = client.get(f"{base}/members").json[0]["workspace"]
    assert (nested["label"].startswith("B-deleted-"), nested["slug"].startswith("b-deleted-")) == (True, True)
    client.put(f"{base}/trashed/restore")
    assert client.get(base).json["label"] == "B"


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("stranger", (401, None)), ("outsider", (400, 1002)), ("reader", (403, 4003)),
        ("manager", (403, 4002)), ("trusted reader", (403, 4003)), ("trusted manager", 204), ("root", 204),
    ],
)  # fmt: skip
def test_who_may_trash(
    client: Any, stranger: Any, as_actor: Any, make_space: Any, who: str, expected: Any
) -> None:
    people = {
        "stranger": stranger, "outsider": as_actor("out", profile="trusted-users"), "reader": as_actor("rea"),
        "manager": as_actor("man"), "trusted reader": as_actor("tre", profile="trusted-users"),
        "trusted manager": as_actor("tma", profile="trusted-users"), "root": as_actor("root", profile="administrators"),
    }  # fmt: skip
    space = make_space(
        members={
            people["reader"].user_id: "reader", people["manager"].user_id: "workspace-manager",
            people["trusted reader"].user_id: "reader", people["trusted manager"].user_id: "workspace-manager",
        }
    )  # fmt: skip
    for rest in ("trashed", "trashed/restore"):
        answer = people[who].put(f"/api/workspaces/{space}/{rest}")
        assert (answer.status if answer.status == 204 else (answer.status, answer.code)) == expected


# -- change ------------------------------------------------------------------------------------------------


def test_a_change_changes_what_it_names(client: Any, make_space: Any, events: list[Any]) -> None:
    space = make_space("A", agenda_enabled=True)
    base = f"/api/workspaces/{space}"
    before = client.get(base).json
    del events[:]
    answer = client.put(base, {})
    assert (answer.status, answer.json) == (200, before)
    everything = dict.fromkeys(
        ("label", "description", "default_user_role", "agenda_enabled", "public_upload_enabled",
         "public_download_enabled", "publication_enabled")
    )  # fmt: skip
    assert client.put(base, everything).json == before
    assert client.put(base, {"label": "A", "agenda_enabled": True}).json == before
    ignored = {"access_type": "open", "parent_id": 99, "owner": 5, "is_deleted": True, "workspace_id": 7}
    assert client.put(base, ignored).json == before
    assert events == []
    changed = client.put(
        base,
        {
            "label": " Ö b ", "description": "<p onclick=x()>a<script>b</script></p>", "default_user_role": "contributor",
            "agenda_enabled": False, "public_upload_enabled": "0", "public_download_enabled": False,
            "publication_enabled": False,
        },
    ).json  # fmt: skip
    assert changed == client.get(base).json == {
        **before, "label": "Ö b", "slug": "o-b", "description": "<p>a</p>", "default_user_role": "contributor",
        "agenda_enabled": False, "public_upload_enabled": False, "public_download_enabled": False,
        "publication_enabled": False,
        "sidebar_entries": [e for e in before["sidebar_entries"] if e["slug"] not in ("publication", "agenda")],
    }  # fmt: skip
    assert [e.name for e in events] == ["space.modified"]
    assert set(events[0].fields) == {
        "label", "slug", "description", "default_role", "agenda_enabled", "public_upload_enabled",
        "public_download_enabled", "publication_enabled",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"label": ""}, {"label": "   "}, {"label": "x" * 1025}, {"label": 5}, {"label": "a\x00b"}, {"description": 5},
        {"description": "x" * 1_000_001}, {"default_user_role": "boss"}, {"default_user_role": "not-applicable"},
        {"agenda_enabled": "maybe"}, {"public_upload_enabled": 7}, {"public_download_enabled": []},
        {"publication_enabled": "x"},
    ],
)  # fmt: skip
def test_wrong_changes(client: Any, make_space: Any, body: Any) -> None:
    base = f"/api/workspaces/{make_space('A')}"
    before = client.get(base).json
    answer = client.put(base, body)
    assert (answer.status, answer.code, list(answer.json["details"])) == (400, 2001, list(body))
    assert client.get(base).json == before


# -- creation ----------------------------------------------------------------------------------------------


@pytest.mark.atrio_config(spaces__allowed_access_types=["open", "confidential"])
def test_only_the_types_on_offer(client: Any, stranger: Any, as_actor: Any) -> None:
    for kind, expected in (("open", 200), ("confidential", 200), ("on_request", 400)):
        answer = client.post("/api/workspaces", {"label": "A", **SPACE, "access_type": kind})
        assert answer.status == expected
    assert answer.code == 2068
    assert as_actor("bob").get("/api/system/workspace_access_types").json == {"items": ["open", "confidential"]}
    assert stranger.get("/api/system/workspace_access_types").status == 401


@pytest.mark.atrio_config(spaces__per_user=2)
def test_a_user_owns_so_many_spaces_and_trashed_ones_count(client: Any, as_actor: Any) -> None:
    ada = as_actor("ada", profile="trusted-users")
    for person in (ada, client):  # administrators are counted too
        first = person.post("/api/workspaces", {"label": "1", **SPACE}).json["workspace_id"]
        assert person.post("/api/workspaces", {"label": "2", **SPACE}).status == 200
        assert person.put(f"/api/workspaces/{first}/trashed").status == 204
        refused = person.post("/api/workspaces", {"label": "3", **SPACE})
        assert (refused.status, refused.code) == (400, 6001)


def test_a_parent_must_be_seen(client: Any, as_actor: Any, make_space: Any) -> None:
    ada = as_actor("ada", profile="trusted-users")
    hidden, mine = make_space("hidden"), make_space("mine", {ada.user_id: "reader"})
    for parent in (hidden, 9999):
        answer = ada.post("/api/workspaces", {"label": "x", **SPACE, "parent_id": parent})
        assert (answer.status, answer.code) == (400, 1002)
    assert ada.post("/api/workspaces", {"label": "x", **SPACE, "parent_id": mine}).json["parent_id"] == mine
    client.put(f"/api/workspaces/{mine}/trashed")
    assert ada.post("/api/workspaces", {"label": "x", **SPACE, "parent_id": mine}).code == 1002
    assert ada.post("/api/workspaces", {"label": "x", **SPACE, "parent_id": 0}).json["parent_id"] is None
