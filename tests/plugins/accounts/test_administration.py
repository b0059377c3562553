"""What administrators do with accounts, what they cannot do to themselves, and the life of an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from atrio.plugins.accounts import api

SWITCHES = ("enabled", "disabled", "trashed", "trashed/restore")


def path(user_id: int, rest: str) -> str:
    return f"/api/users/{user_id}/{rest}"


def names(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(e.name, *(getattr(e, "fields", ()) or ())) for e in events]


def test_a_profile_is_given_by_others(client: Client, as_actor: Callable[..., Any], events: list[Any]) -> None:
    bob = as_actor("bob")
    events.clear()
    answer = client.put(path(bob.user_id, "profile"), {"profile": "trusted-users"})
    assert (answer.status, answer.body) == (204, b"")
    assert names(events) == [("user.modified", "profile")]
    assert bob.get("/api/auth/whoami").json["profile"] == "trusted-users"
    for wrong in ("nobody", "root", "", None, 3):
        assert client.put(path(bob.user_id, "profile"), {"profile": wrong}).code == 2001, wrong
    assert client.put(path(bob.user_id, "profile"), {}).code == 2001
    answer = client.put(path(1, "profile"), {"profile": "users"})
    assert (answer.status, answer.code) == (400, 3006)
    assert client.put(path(1, "profile"), {"profile": "administrators"}).code == 3006


def test_allowed_space(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    target = path(bob.user_id, "allowed_space")
    assert client.put(target, {"allowed_space": 2**40}).status == 204
    assert bob.get("/api/auth/whoami").json["allowed_space"] == 2**40
    assert client.put(target, {"allowed_space": "12"}).status == 204
    assert client.put(target, {"allowed_space": None}).status == 204
    assert bob.get("/api/auth/whoami").json["allowed_space"] == 0, "what new accounts get"
    for wrong in ({}, {"allowed_space": -1}, {"allowed_space": "x"}, {"allowed_space": 2**64}):
        answer = client.put(target, wrong)
        assert (answer.status, answer.code) == (400, 2001), wrong


@pytest.mark.parametrize(("switch", "back"), [("disabled", "enabled"), ("trashed", "trashed/restore")])
def test_who_is_stopped_is_out_at_once(
    kernel: Kernel, client: Client, as_actor: Callable[..., Any], events: list[Any], switch: str, back: str
) -> None:
    bob = as_actor("bob")
    browser = Client(kernel.app)
    assert browser.post("/api/auth/login", {"username": "bob", "password": PASSWORD}).status == 200
    with kernel.unit() as ctx:
        token = api.issue_access_token(ctx, bob.user_id)
        reset = api.make_reset_token(ctx, bob.user_id)
    asked = f"/api/auth/whoami?access_token={token}"
    stranger = Client(kernel.app)
    assert (browser.get(asked).status, stranger.get(asked).status, bob.get(asked).status) == (200, 200, 200)
    events.clear()
    for _ in range(2):
        answer = client.put(path(bob.user_id, switch))
        assert (answer.status, answer.body) == (204, b"")
    told = "user.modified" if switch == "disabled" else "user.trashed"
    assert [e.name for e in events] == ["user.sessions_ended", told], "the second time nothing happens"
    for person in (browser, stranger, bob):
        assert person.get(asked).status == 401
    assert stranger.post("/api/auth/login", {"username": "bob", "password": PASSWORD}).code == 4001
    check = {"email": "bob@example.org", "reset_password_token": reset}
    assert stranger.post("/api/auth/password/reset/token/check", check).status == 400
    with kernel.unit(writes=False) as ctx:
        for table in ("accounts_session", "accounts_token"):
            rows = ctx.execute(text(f"SELECT count(*) FROM {table} WHERE user_id = :u"), {"u": bob.user_id})
            assert rows.scalar() == 0
    events.clear()
    assert client.put(path(bob.user_id, back)).status == 204
    assert [e.name for e in events] == ["user.modified" if switch == "disabled" else "user.restored"]
    assert bob.get("/api/auth/whoami").status == 200
    assert browser.get("/api/auth/whoami").status == 401, "ended sessions stay ended"
    assert stranger.get(asked).status == 401


def test_nobody_stops_himself(client: Client) -> None:
    for switch, code in (("disabled", 3003), ("trashed", 3004)):
        answer = client.put(path(1, switch))
        assert (answer.status, answer.code) == (400, code)
    assert client.put(path(1, "enabled")).status == 204
    assert client.put(path(1, "trashed/restore")).status == 204
    assert client.get("/api/auth/whoami").status == 200


def test_deleted_accounts_are_listed_no_more_but_found(client: Client, as_actor: Callable[..., Any]) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    assert client.put(path(bob.user_id, "trashed")).status == 204
    assert client.put(path(eve.user_id, "disabled")).status == 204
    listed = {u["user_id"]: u for u in client.get("/api/users").json}
    assert set(listed) == {1, eve.user_id}
    assert listed[eve.user_id]["is_active"] is False
    one = client.get(f"/api/users/{bob.user_id}").json
    assert (one["is_deleted"], one["is_active"]) == (True, True)
    assert client.get(path(bob.user_id, "about")).code == 1001
    assert client.get(path(bob.user_id, "avatar/raw/a")).code == 1001
    assert client.get(path(bob.user_id, "custom-properties")).code == 1001


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_of_nobody(client: Client, as_actor: Callable[..., Any], switch: str) -> None:
    for absent in (4711, 0, 10**18 - 1):
        assert client.put(path(absent, switch)).code == 1001
    assert client.put(f"/api/users/bob/{switch}").status == 404


def test_mail_is_asked_for_but_never_needed(client: Client, events: list[Any]) -> None:
    events.clear()
    assert client.post("/api/users", {"email": "a@example.org"}).status == 200
    body = {"email": "Ann Other <b@example.org>", "email_notification": False}
    answer = client.post("/api/users", body)
    assert answer.json["public_name"] == "Ann Other"
    assert [(e.name, e.notify) for e in events] == [("user.created", True), ("user.created", False)]


@pytest.mark.atrio_config(accounts__email_required=False, accounts__reserved_usernames="postmaster")
def test_an_account_without_an_address(client: Client, stranger: Client, events: list[Any]) -> None:
    events.clear()
    answer = client.post("/api/users", {"username": "nomail", "password": "secret-one"})
    assert (answer.status, answer.json["email"], answer.json["public_name"]) == (200, None, "nomail")
    assert events[0].notify is False, "there is nowhere to write to"
    assert client.post("/api/users", {"username": "Postmaster"}).code == 2066
    assert client.post("/api/users", {}).code == 2001
    signed_in = stranger.post("/api/auth/login", {"username": "nomail", "password": "secret-one"})
    assert signed_in.json["user_id"] == answer.json["user_id"]


# -- registration --------------------------------------------------------------------------------------------


def test_registration_is_off_by_default(stranger: Client) -> None:
    good = {"email": "new@example.org", "password": "secret-one"}
    answer = stranger.post("/api/users/register", good)
    assert (answer.status, answer.code) == (400, 2073)
    assert stranger.post("/api/users/register", {**good, "email": "x"}).code == 2001, "the body comes first"


@pytest.mark.atrio_config(accounts__self_registration=True, accounts__default_allowed_space=77)
def test_strangers_register(stranger: Client, events: list[Any], kernel: Kernel) -> None:
    events.clear()
    body = {
        "email": "new@example.org", "password": "secret-one", "profile": "administrators", "allowed_space": 0,
    }  # fmt: skip
    answer = stranger.post("/api/users/register", body)
    assert answer.status == 200
    shown = answer.json
    assert (shown["profile"], shown["allowed_space"], shown["auth_type"]) == ("users", 77, "unknown")
    assert [e.name for e in events] == ["user.created"]
    assert stranger.get("/api/auth/whoami").status == 401, "registering signs nobody in"
    signed_in = stranger.post("/api/auth/login", {"email": "new@example.org", "password": "secret-one"})
    assert signed_in.json["auth_type"] == "internal"
    assert stranger.post("/api/users/register", body).code == 2036
    with kernel.unit(writes=False) as ctx:
        kind = ctx.execute(text("SELECT creation_type FROM accounts_user WHERE email = 'new@example.org'"))
        assert kind.scalar() == "register"


@pytest.mark.atrio_config(accounts__self_registration=True, accounts__failures_allowed=3)
def test_an_address_does_not_register_without_end(stranger: Client) -> None:
    for number in range(3):
        assert stranger.post("/api/users/register", {"email": f"n{number}@example.org"}).status == 200
    answer = stranger.post("/api/users/register", {"email": "n9@example.org"})
    assert (answer.status, "retry-after" in answer.headers) == (429, True)
    elsewhere = stranger.request(
        "POST", "/api/users/register", json_body={"email": "n9@example.org"}, client="192.0.2.9"
    )
    assert elsewhere.status == 200


# -- the life of an account ----------------------------------------------------------------------------------


def test_from_invitation_to_deletion(kernel: Kernel, client: Client, events: list[Any]) -> None:
    """Invited, first password by link, at work, forgotten password, disabled, back, deleted, back, deleted."""
    browser = Client(kernel.app)
    events.clear()
    user_id = kernel.run(lambda ctx: api.invite_user(ctx, "Ann@Example.org", "Ann"))
    assert [(e.name, e.user_id, e.notify) for e in events] == [("user.created", user_id, True)]
    assert browser.post("/api/auth/login", {"email": "ann@example.org", "password": PASSWORD}).code == 4001
    shown = client.get(f"/api/users/{user_id}").json
    assert (shown["email"], shown["public_name"], shown["auth_type"]) == ("ann@example.org", "Ann", "unknown")

    token = kernel.run(lambda ctx: api.make_reset_token(ctx, user_id, welcome=True))
    body = {"email": "ann@example.org", "reset_password_token": token}
    new = {**body, "new_password": "first-one", "new_password2": "first-one"}
    assert browser.post("/api/auth/password/reset/token/check", body).status == 204
    assert browser.post("/api/auth/password/reset/modify", new).status == 204
    assert browser.post("/api/auth/login", {"email": "ann@example.org", "password": "first-one"}).status == 200
    assert browser.get("/api/auth/whoami").json["auth_type"] == "internal"
    me = f"/api/users/{user_id}"
    assert browser.put(me, {"timezone": "UTC", "lang": "en"}).status == 200
    named = {"loggedin_user_password": "first-one", "username": "ann"}
    assert browser.put(f"{me}/username", named).status == 200
    assert browser.put(f"{me}/config", {"parameters": {"theme": "dark"}}).status == 204

    events.clear()
    assert browser.post("/api/auth/password/reset/request", {"username": "ann"}).status == 204
    assert [(e.name, e.user_id) for e in events] == [("user.password_reset_requested", user_id)]
    token = kernel.run(lambda ctx: api.make_reset_token(ctx, user_id))
    new = {**new, "reset_password_token": token, "new_password": "second-one", "new_password2": "second-one"}
    assert browser.post("/api/auth/password/reset/modify", new).status == 204
    assert browser.get("/api/auth/whoami").status == 401
    credentials = {"username": "ann", "password": "second-one"}
    assert browser.post("/api/auth/login", credentials).status == 200

    for switch, back in (("disabled", "enabled"), ("trashed", "trashed/restore")):
        assert client.put(f"{me}/{switch}").status == 204
        assert browser.get("/api/auth/whoami").status == 401
        assert browser.post("/api/auth/login", credentials).code == 4001
        assert client.put(f"{me}/{back}").status == 204
        assert browser.post("/api/auth/login", credentials).status == 200
        assert browser.get(f"{me}/config").json == {"parameters": {"theme": "dark"}}
    assert client.put(f"{me}/trashed").status == 204
    assert client.post("/api/users", {"email": "ann@example.org"}).code == 2036, "a login is not given again"


def test_who_may_invite(kernel: Kernel, as_actor: Callable[..., Any]) -> None:
    from atrio.kernel.context import Actor
    from atrio.plugins.accounts import queries

    for profile, expected in (("users", False), ("trusted-users", True), ("administrators", True)):
        person = as_actor(profile, profile=profile)
        with kernel.unit(writes=False) as ctx:
            row = queries.BY_ID.first(ctx, user_id=person.user_id)
            ctx.actor = Actor(person.user_id, "user", row, "test")
            assert api.may_invite(ctx) is expected


@pytest.mark.atrio_config(accounts__invitation_notify=False, accounts__default_profile="trusted-users")
def test_an_invitation_without_a_letter(kernel: Kernel, client: Client, events: list[Any]) -> None:
    events.clear()
    user_id = kernel.run(lambda ctx: api.invite_user(ctx, "x@example.org"))
    assert events[0].notify is False
    shown = client.get(f"/api/users/{user_id}").json
    assert (shown["public_name"], shown["profile"]) == ("x", "trusted-users")
    from atrio.plugins.accounts.errors import EmailAlreadyExists

    with pytest.raises(EmailAlreadyExists):
        kernel.run(lambda ctx: api.invite_user(ctx, "X@EXAMPLE.org"))
