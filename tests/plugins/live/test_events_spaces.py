"""What is told of spaces, members and requests to become one."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("access", ["open", "on_request", "confidential"])
def test_the_life_of_a_space(cast: Any, log: Any, access: str) -> None:
    space = cast.other_space(access)
    joined, created = log.news()
    assert (joined.event_type, created.event_type) == ("workspace_member.created", "workspace.created")
    assert joined.receivers == cast.administrators
    everybody = cast.administrators if access == "confidential" else cast.everybody
    assert created.receivers == everybody
    told = created.fields["workspace"]
    assert (told["workspace_id"], told["description"], told["number_of_members"]) == (space, "<p>about</p>", 1)
    assert told["sidebar_entries"]
    path = f"/api/workspaces/{space}"
    for verb, body, event_type, deleted in (
        ("", {"label": "New"}, "workspace.modified", False), ("/trashed", {}, "workspace.deleted", True),
        ("/trashed/restore", {}, "workspace.undeleted", False),
    ):  # fmt: skip
        cast.ok("PUT", path + verb, body)
        told = log.alone(event_type, everybody)
        assert (told.author, told.fields["workspace"]["is_deleted"]) == (1, deleted)
        assert told.fields["workspace"]["label"].startswith("New")
    cast.ok("PUT", path, {"label": "New"})
    cast.ok("PUT", f"{path}/trashed/restore", {})
    assert log.news() == [], "nothing changed, nothing told"


def test_the_members_of_a_confidential_space_are_told_of_it(cast: Any, log: Any) -> None:
    cast.ok("PUT", cast.base, {"description": "other"}, "workspace-manager")
    told = log.alone("workspace.modified", cast.members | cast.administrators)
    assert told.author == cast.ids["workspace-manager"]


def test_the_life_of_a_member(cast: Any, log: Any) -> None:
    outsider, near = cast.ids["outsider"], set(cast.members | cast.administrators)
    path = f"{cast.base}/members/{outsider}"
    cast.ok("POST", f"{cast.base}/members", {"user_id": outsider, "role": "contributor"}, "workspace-manager")
    told = log.alone("workspace_member.created", near | {outsider})
    assert told.fields["member"] == {"role": "contributor", "email_notification_type": "daily"}
    assert told.fields["user"]["user_id"] == outsider
    assert told.author == cast.ids["workspace-manager"]
    assert told.fields["workspace"]["number_of_members"] == 8
    cast.ok("PUT", path, {"role": "reader"})
    told = log.alone("workspace_member.modified", near | {outsider})
    assert told.fields["member"] == {"role": "reader", "email_notification_type": "daily"}
    mine = f"/api/users/{outsider}/workspaces/{cast.space}/email_notification_type"
    cast.ok("PUT", mine, {"email_notification_type": "weekly"}, "outsider")
    told = log.alone("workspace_member.modified", near | {outsider})
    assert told.fields["member"] == {"role": "reader", "email_notification_type": "weekly"}
    cast.ok("PUT", path, {"role": "reader"})
    assert log.news() == []
    cast.ok("DELETE", path)
    told = log.alone("workspace_member.deleted", near | {outsider})
    assert told.fields["member"] == {"role": "reader", "email_notification_type": "weekly"}, "what he had"
    assert told.fields["workspace"]["number_of_members"] == 7


def test_a_member_who_is_disabled_learns_nothing_but_of_himself(cast: Any, log: Any) -> None:
    disabled, near = cast.ids["disabled"], set(cast.members | cast.administrators)
    cast.ok("PUT", f"{cast.base}/members/{disabled}", {"role": "contributor"})
    log.alone("workspace_member.modified", near | {disabled})
    cast.ok("DELETE", f"{cast.base}/members/{cast.ids['reader']}")
    log.alone("workspace_member.deleted", near)


def test_joining_an_open_space(cast: Any, log: Any) -> None:
    space, outsider = cast.other_space("open", default_user_role="contributor"), cast.ids["outsider"]
    log.news()
    cast.ok("POST", f"/api/users/{outsider}/workspaces", {"workspace_id": space}, "outsider")
    told = log.alone("workspace_member.created", cast.administrators | {outsider})
    assert (told.fields["member"]["role"], told.author) == ("contributor", outsider)


def test_inviting_an_address_tells_of_the_account_first(cast: Any, log: Any) -> None:
    body = {"user_email": "fresh@example.org", "role": "reader"}
    cast.ok("POST", f"{cast.base}/members", body)
    created, joined = log.news()
    assert (created.event_type, joined.event_type) == ("user.created", "workspace_member.created")
    fresh = created.fields["user"]["user_id"]
    assert joined.fields["user"]["user_id"] == fresh
    assert created.receivers == joined.receivers == cast.members | cast.administrators | {fresh}


def test_the_way_of_a_request(cast: Any, log: Any) -> None:
    space, outsider = cast.other_space("on_request"), cast.ids["outsider"]
    manager, reader = cast.ids["workspace-manager"], cast.ids["reader"]
    for user, role in ((manager, "workspace-manager"), (reader, "reader")):
        cast.ok("POST", f"/api/workspaces/{space}/members", {"user_id": user, "role": role})
    log.news()
    deciders = set(cast.administrators | {manager, outsider})
    mine, base = (
        f"/api/users/{outsider}/workspace_subscriptions",
        f"/api/workspaces/{space}/subscriptions/{outsider}",
    )
    cast.ok("PUT", mine, {"workspace_id": space}, "outsider")
    told = log.alone("workspace_subscription.created", deciders)
    asked = told.fields["subscription"]
    assert (asked["state"], asked["evaluator"], asked["evaluation_date"]) == ("pending", None, None)
    assert asked["author"]["user_id"] == told.fields["user"]["user_id"] == told.author == outsider
    assert asked["workspace"] == {"workspace_id": space, "label": "Other"}
    cast.ok("PUT", f"{base}/reject", {}, "workspace-manager")
    told = log.alone("workspace_subscription.modified", deciders)
    assert told.fields["subscription"]["state"] == "rejected"
    assert told.fields["subscription"]["evaluator"]["user_id"] == told.author == manager
    assert told.fields["user"]["user_id"] == outsider, "the author of the request"
    cast.ok("PUT", mine, {"workspace_id": space}, "outsider")
    told = log.alone("workspace_subscription.modified", deciders)
    assert (told.fields["subscription"]["state"], told.fields["subscription"]["evaluator"]) == ("pending", None)
    cast.ok("PUT", f"{base}/accept", {"role": "contributor"})
    accepted, joined = log.news()
    assert (accepted.event_type, joined.event_type) == (
        "workspace_subscription.modified", "workspace_member.created",
    )  # fmt: skip
    assert (accepted.receivers, accepted.fields["subscription"]["state"]) == (deciders, "accepted")
    assert joined.receivers == cast.administrators | {manager, reader, outsider}
    assert joined.fields["member"]["role"] == "contributor"
    cast.ok("DELETE", f"/api/workspaces/{space}/members/{outsider}")
    assert log.types() == ["workspace_member.deleted"]
