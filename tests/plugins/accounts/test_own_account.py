"""What users change of their own accounts: who may, what is refused, and what ends with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from tests.plugins.accounts.racing import race

FULL = {
    "user_id", "has_avatar", "has_cover", "public_name", "username", "is_active", "email", "created",
    "is_deleted", "timezone", "profile", "lang", "auth_type", "allowed_space",
}  # fmt: skip


def own(client: Any, rest: str = "") -> str:
    return f"/api/users/{client.user_id}{rest}"


def names(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(e.name, *(getattr(e, "fields", ()) or ())) for e in events]


# -- time zone, language, name -------------------------------------------------------------------------------


def test_a_user_changes_what_others_see(as_actor: Callable[..., Any], events: list[Any]) -> None:
    bob = as_actor("bob")
    events.clear()
    body = {"timezone": " Europe/Paris ", "lang": "fr", "public_name": " Bob <b>B.</b> "}
    answer = bob.put(own(bob), body)
    assert answer.status == 200
    assert set(answer.json) == FULL
    assert (answer.json["timezone"], answer.json["lang"]) == ("Europe/Paris", "fr")
    assert answer.json["public_name"] == "Bob <b>B.</b>", "a name is text, not HTML"
    assert answer.json == bob.get(own(bob)).json == bob.get("/api/auth/whoami").json
    assert names(events) == [("user.modified", "timezone", "lang", "public_name")]
    events.clear()
    assert bob.put(own(bob), body).status == 200
    assert events == [], "nothing changed"
    assert bob.put(own(bob), {"timezone": "", "lang": None}).json["lang"] is None
    assert bob.get(own(bob)).json["public_name"] == "Bob <b>B.</b>", "a name that is not named stays"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "timezone"),
        ({"timezone": ""}, "lang"),
        ({"lang": "en"}, "timezone"),
        ({"timezone": "x" * 33, "lang": "en"}, "timezone"),
        ({"timezone": None, "lang": "en"}, "timezone"),
        ({"timezone": "", "lang": "e"}, "lang"),
        ({"timezone": "", "lang": "1234567"}, "lang"),
        ({"timezone": "", "lang": "en", "public_name": "ab"}, "public_name"),
        ({"timezone": "", "lang": "en", "public_name": "x" * 256}, "public_name"),
        ({"timezone": "", "lang": "en", "public_name": None}, "public_name"),
    ],
)
def test_info_that_is_refused(as_actor: Callable[..., Any], body: dict[str, Any], field: str) -> None:
    bob = as_actor("bob")
    answer = bob.put(own(bob), body)
    assert (answer.status, answer.code) == (400, 2001)
    assert field in answer.json["details"]


# -- address -------------------------------------------------------------------------------------------------


def test_a_new_address(as_actor: Callable[..., Any], events: list[Any], stranger: Client) -> None:
    bob = as_actor("bob")
    events.clear()
    body = {"loggedin_user_password": PASSWORD, "email": " Robert@Example.ORG "}
    answer = bob.put(own(bob, "/email"), body)
    assert (answer.status, answer.json["email"]) == (200, "robert@example.org")
    assert set(answer.json) == FULL
    assert names(events) == [("user.modified", "email")]
    events.clear()
    assert bob.put(own(bob, "/email"), body).status == 200, "the same address again"
    assert events == []
    signed_in = stranger.post("/api/auth/login", {"email": "robert@example.org", "password": PASSWORD})
    assert signed_in.json["user_id"] == bob.user_id
    assert stranger.post("/api/auth/login", {"email": "bob@example.org", "password": PASSWORD}).code == 4001


def test_an_address_that_is_taken_or_none(as_actor: Callable[..., Any]) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    good = {"loggedin_user_password": PASSWORD, "email": "x@example.org"}
    assert bob.put(own(bob, "/email"), {**good, "email": "EVE@example.org"}).code == 2036
    wrong = bob.put(own(bob, "/email"), {**good, "loggedin_user_password": "not-the-one"})
    assert (wrong.status, wrong.code) == (403, 2034)
    for email in ("x", "@x", "xyz", "a<b@c", "a,b@c.d", "a;b@c.d", "a@b\nc", "x" * 250 + "@x.org", "", None, 5):
        answer = bob.put(own(bob, "/email"), {**good, "email": email})
        assert (answer.status, answer.code) == (400, 2001), email
    assert bob.put(own(bob, "/email"), {"email": "x@example.org"}).code == 2001
    assert bob.put(own(bob, "/email"), {**good, "loggedin_user_password": "short"}).code == 2001
    assert eve.put(own(bob, "/email"), good).code == 4002


def test_an_administrator_gives_his_own_password(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    root = as_actor("root", profile="administrators")
    assert root.put(own(bob, "/email"), {"loggedin_user_password": PASSWORD, "email": "n@e.w"}).status == 200
    new = {"loggedin_user_password": PASSWORD, "new_password": "of-root", "new_password2": "of-root"}
    assert root.put(own(root, "/password"), new).status == 204
    root.password = "of-root"
    answer = root.put(own(bob, "/email"), {"loggedin_user_password": PASSWORD, "email": "o@l.d"})
    assert answer.code == 2034, "the password of the user of the path does not count"
    assert root.put(own(bob, "/email"), {"loggedin_user_password": "of-root", "email": "o@l.d"}).status == 200


def test_guesses_of_ones_own_password_are_counted(as_actor: Callable[..., Any]) -> None:
    """Who finds a browser that is signed in cannot try passwords there without end."""
    bob = as_actor("bob")
    for _ in range(10):
        guess = {"loggedin_user_password": "a-guess", "email": "x@example.org"}
        assert bob.put(own(bob, "/email"), guess).code == 2034
    answer = bob.put(own(bob, "/email"), guess)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0


# -- username ------------------------------------------------------------------------------------------------


def test_a_new_username(as_actor: Callable[..., Any], events: list[Any]) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    events.clear()
    body = {"loggedin_user_password": PASSWORD, "username": "Robert.B_-9"}
    answer = bob.put(own(bob, "/username"), body)
    assert (answer.status, answer.json["username"]) == (200, "Robert.B_-9")
    assert names(events) == [("user.modified", "username")]
    assert bob.get("/api/auth/whoami").status == 401, "the old one is gone"
    bob.login = "Robert.B_-9"
    assert bob.get("/api/auth/whoami").status == 200
    assert bob.put(own(bob, "/username"), body).status == 200
    assert eve.put(own(eve, "/username"), body).code == 2063
    assert eve.put(own(eve, "/username"), {**body, "username": "robert.b_-9"}).status == 200, "case counts"


@pytest.mark.parametrize("name", ["all", "ALL", "reader", "contributor", "content-manager", "space-manager"])
def test_usernames_of_groups_are_reserved(as_actor: Callable[..., Any], client: Client, name: str) -> None:
    bob = as_actor("bob")
    body = {"loggedin_user_password": PASSWORD, "username": name}
    assert bob.put(own(bob, "/username"), body).code == 2066
    assert client.post("/api/users", {"email": "x@y.z", "username": name}).code == 2066


@pytest.mark.parametrize("name", ["ab", "x" * 256, "a b c", "é-é", "a@b.c", "", None, "abc\n d"])
def test_usernames_that_are_none(as_actor: Callable[..., Any], name: Any) -> None:
    bob = as_actor("bob")
    answer = bob.put(own(bob, "/username"), {"loggedin_user_password": PASSWORD, "username": name})
    assert (answer.status, answer.code) == (400, 2001)


# -- password ------------------------------------------------------------------------------------------------


def test_a_new_password_ends_every_session_but_the_callers(
    kernel: Kernel, as_actor: Callable[..., Any], events: list[Any]
) -> None:
    bob = as_actor("bob")
    here, there = Client(kernel.app), Client(kernel.app)
    for browser in (here, there):
        assert browser.post("/api/auth/login", {"username": "bob", "password": PASSWORD}).status == 200
    with kernel.unit() as ctx:
        from atrio.plugins.accounts.api import issue_access_token, make_reset_token

        access = issue_access_token(ctx, bob.user_id)
        make_reset_token(ctx, bob.user_id)
    assert there.get(f"/api/auth/whoami?access_token={access}").status == 200
    old = here.cookies["session_key"]
    events.clear()
    new = {"loggedin_user_password": PASSWORD, "new_password": "brand-new", "new_password2": "brand-new"}
    answer = here.put(own(bob, "/password"), new)
    assert (answer.status, answer.body) == (204, b"")
    assert [e.name for e in events] == ["user.sessions_ended"]
    assert here.cookies["session_key"] != old
    assert here.get("/api/auth/whoami").status == 200
    assert there.get("/api/auth/whoami").status == 401
    assert Client(kernel.app).get("/api/auth/whoami", headers={"Cookie": f"session_key={old}"}).status == 401
    assert bob.get("/api/auth/whoami").status == 401, "the remembered Basic password too"
    assert Client(kernel.app).get(f"/api/auth/whoami?access_token={access}").status == 401
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT count(*) FROM accounts_token")).scalar() == 0
    bob.password = "brand-new"
    assert bob.get("/api/auth/whoami").status == 200


def test_passwords_that_are_refused(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    path = own(bob, "/password")
    good = {"loggedin_user_password": PASSWORD, "new_password": "brand-new", "new_password2": "brand-new"}
    assert bob.put(path, {**good, "new_password2": "brand-old"}).code == 2035
    wrong = bob.put(path, {**good, "loggedin_user_password": "not-the-one"})
    assert (wrong.status, wrong.code) == (403, 2034)
    for short in ("12345", "x" * 513, None):
        assert bob.put(path, {**good, "new_password": short, "new_password2": short}).code == 2001
    assert bob.put(path, {}).code == 2001
    assert bob.get("/api/auth/whoami").status == 200
    spaces = "      "
    assert bob.put(path, {**good, "new_password": spaces, "new_password2": spaces}).status == 204
    bob.password = spaces
    assert bob.get("/api/auth/whoami").status == 200, "blanks of a password count"


# -- what the instance keeps as it is ------------------------------------------------------------------------


@pytest.mark.atrio_config(accounts__read_only_internal="public_name, username, email, password")
def test_fields_that_are_read_only(as_actor: Callable[..., Any], client: Client) -> None:
    bob = as_actor("bob")
    bob.cookies = {}
    mine = {"loggedin_user_password": PASSWORD}
    for person in (bob, client):
        for field, body in (
            ("email", {"email": "x@y.z"}),
            ("username", {"username": "another"}),
            ("password", {"new_password": "brand-new", "new_password2": "brand-new"}),
        ):
            answer = person.put(own(bob, f"/{field}"), {**mine, **body})
            assert (answer.status, answer.code) == (400, 4004), field
    answer = bob.put(own(bob), {"timezone": "UTC", "lang": None, "public_name": "Another"})
    assert (answer.status, answer.json["public_name"]) == (200, "bob"), "silently left alone"
    assert answer.json["timezone"] == "UTC"


@pytest.mark.atrio_config(accounts__read_only_ldap="username")
@pytest.mark.parametrize(
    ("kind", "email", "password"),
    [("ldap", 2048, 2049), ("remote", 2048, 2049), ("saml", None, 2049), ("unknown", None, None)],
)
def test_accounts_that_are_kept_elsewhere(
    kernel: Kernel, as_actor: Callable[..., Any], client: Client, kind: str, email: Any, password: Any
) -> None:
    bob = as_actor("bob")
    with kernel.unit() as ctx:
        ctx.execute(
            text("UPDATE accounts_user SET auth_type = :k WHERE user_id = :u"), {"k": kind, "u": bob.user_id}
        )
    mine = {"loggedin_user_password": PASSWORD}
    assert client.put(own(bob, "/email"), {**mine, "email": "x@y.z"}).json.get("code") == email
    answer = client.put(own(bob, "/password"), {**mine, "new_password": "123456", "new_password2": "123456"})
    assert (answer.json["code"] if answer.body else None) == password
    answer = client.put(own(bob, "/username"), {**mine, "username": "another"})
    assert answer.json.get("code") == (4004 if kind == "ldap" else None)


# -- races ---------------------------------------------------------------------------------------------------


def test_one_of_many_gets_an_address(kernel: Kernel, as_actor: Callable[..., Any]) -> None:
    people = [as_actor(f"user{n}") for n in range(4)]
    for person in people:
        assert person.get("/api/auth/whoami").status == 200
    body = {"loggedin_user_password": PASSWORD, "email": "wanted@example.org"}
    answers = race([lambda p=person: p.put(own(p, "/email"), body) for person in people])
    assert sorted((a.status, a.json.get("code")) for a in answers if a.status != 200) == [(400, 2036)] * 3
    with kernel.unit(writes=False) as ctx:
        found = ctx.execute(text("SELECT count(*) FROM accounts_user WHERE email = 'wanted@example.org'"))
        assert found.scalar() == 1


def test_a_race_that_is_lost_after_the_look(
    kernel: Kernel, as_actor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked, nobody had the name, one wrote first: the unique constraint decides."""
    from atrio.plugins.accounts.services import users

    bob, _ = as_actor("bob"), as_actor("eve")
    admin = as_actor("root", profile="administrators")
    monkeypatch.setattr(users, "_refuse_taken", lambda *_: None)
    mine = {"loggedin_user_password": PASSWORD}
    assert bob.put(own(bob, "/email"), {**mine, "email": "eve@example.org"}).code == 2036
    assert bob.put(own(bob, "/username"), {**mine, "username": "eve"}).code == 2063
    assert admin.post("/api/users", {"email": "eve@example.org"}).code == 2036
    assert admin.post("/api/users", {"email": "a@b.c", "username": "eve"}).code == 2063
