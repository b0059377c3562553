"""A forgotten password: what a token can do, for how long, and what the answers give away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from atrio.plugins.accounts import api

REQUEST = "/api/auth/password/reset/request"
CHECK = "/api/auth/password/reset/token/check"
MODIFY = "/api/auth/password/reset/modify"


@pytest.fixture
def token(kernel: Kernel, as_actor: Callable[..., Any]) -> Callable[..., str]:
    """`token("bob")` makes a token for this user."""

    def make(name: str = "bob", **options: Any) -> str:
        user_id = as_actor(name).user_id
        return kernel.run(lambda ctx: api.make_reset_token(ctx, user_id, **options))

    return make


def body(token: str, email: str = "bob@example.org", password: str = "brand-new") -> dict[str, str]:
    return {
        "email": email, "reset_password_token": token, "new_password": password, "new_password2": password,
    }  # fmt: skip


def test_the_request_is_answered_alike(
    kernel: Kernel, client: Client, stranger: Client, as_actor: Callable[..., Any], events: list[Any]
) -> None:
    bob, gone = as_actor("bob"), as_actor("gone")
    assert client.put(f"/api/users/{gone.user_id}/disabled").status == 204
    elsewhere = as_actor("saml")
    with kernel.unit() as ctx:
        ctx.execute(
            text("UPDATE accounts_user SET auth_type = 'saml' WHERE user_id = :u"), {"u": elsewhere.user_id}
        )
    events.clear()
    asked = (
        {"email": "BOB@example.org"}, {"username": "bob"}, {"email": "nobody@example.org"}, {"username": "nobody"},
        {"email": "nobody@example.org", "username": "bob"}, {"username": "gone"}, {"username": "saml"},
    )  # fmt: skip
    for given in asked:
        answer = stranger.post(REQUEST, given)
        assert (answer.status, answer.body) == (204, b""), given
    assert [(e.name, e.user_id) for e in events] == [("user.password_reset_requested", bob.user_id)] * 3
    for wrong in ({}, {"email": "x"}, {"username": "ab"}, {"email": None}):
        assert stranger.post(REQUEST, wrong).code == 2001, wrong


def test_nobody_is_flooded(stranger: Client, as_actor: Callable[..., Any], events: list[Any]) -> None:
    as_actor("bob")
    events.clear()
    for _ in range(9):
        assert stranger.post(REQUEST, {"username": "bob"}).status == 204
    assert len(events) == 5, "more requests of ten minutes are answered alike and do nothing"


def test_a_token_works_once(
    kernel: Kernel, stranger: Client, as_actor: Callable[..., Any], token: Callable[..., str], events: list[Any]
) -> None:
    bob = as_actor("bob")
    one, other = token(), token()
    browser = Client(kernel.app)
    assert browser.post("/api/auth/login", {"username": "bob", "password": PASSWORD}).status == 200
    with kernel.unit(writes=False) as ctx:
        stored = ctx.execute(text("SELECT token_hash FROM accounts_token")).scalars().all()
    assert len(stored) == 2
    assert one not in stored, "only a hash is kept"
    for _ in range(2):
        answer = stranger.post(CHECK, body(one))
        assert (answer.status, answer.body) == (204, b""), "checking uses nothing up"
    assert stranger.post(MODIFY, {**body(one), "new_password2": "another-one"}).code == 2035
    events.clear()
    answer = stranger.post(MODIFY, body(one))
    assert (answer.status, answer.body) == (204, b"")
    assert [e.name for e in events] == ["user.sessions_ended"]
    assert browser.get("/api/auth/whoami").status == 401
    assert bob.get("/api/auth/whoami").status == 401
    bob.password = "brand-new"
    assert bob.get("/api/auth/whoami").status == 200
    for spent in (one, other):
        for path in (CHECK, MODIFY):
            assert stranger.post(path, body(spent)).code == 2039, "all tokens of the account are spent"


def test_a_token_ends(stranger: Client, token: Callable[..., str], clock: Any, kernel: Kernel) -> None:
    short, long = token(), token(welcome=True)
    clock.move(899)
    assert stranger.post(CHECK, body(short)).status == 204
    clock.move(1)
    for path in (CHECK, MODIFY):
        answer = stranger.post(path, body(short))
        assert (answer.status, answer.code) == (400, 2040)
    clock.move(604800 - 901)
    assert stranger.post(CHECK, body(long)).status == 204
    clock.move(2 * 86400)
    assert stranger.post(CHECK, body(long)).code == 2040
    token()
    assert stranger.post(CHECK, body(long)).code == 2039, "forgotten a day after its end"


def test_a_token_belongs_to_one_account(
    stranger: Client, as_actor: Callable[..., Any], token: Callable[..., str], kernel: Kernel
) -> None:
    as_actor("eve")
    of_bob = token("bob")
    for path in (CHECK, MODIFY):
        assert stranger.post(path, body(of_bob, "eve@example.org")).code == 2039
        assert stranger.post(path, body("x" * 43)).code == 2039
        unknown = stranger.post(path, body(of_bob, "nobody@example.org"))
        assert (unknown.status, unknown.code) == (400, 1001)
        for field in ("email", "reset_password_token"):
            wrong = body(of_bob)
            del wrong[field]
            assert stranger.post(path, wrong).code == 2001
    user_id = as_actor("bob").user_id
    access = kernel.run(lambda ctx: api.issue_access_token(ctx, user_id))
    assert stranger.post(CHECK, body(access)).code == 2039, "a token of another purpose"
    assert stranger.post(MODIFY, body(of_bob, password="short")).code == 2001
    assert stranger.post(MODIFY, body(of_bob)).status == 204


def test_a_new_address_spends_the_links_to_the_old_one(
    stranger: Client, as_actor: Callable[..., Any], token: Callable[..., str]
) -> None:
    old = token("bob")
    bob = as_actor("bob")
    new = {"loggedin_user_password": PASSWORD, "email": "new@example.org"}
    assert bob.put(f"/api/users/{bob.user_id}/email", new).status == 200
    assert stranger.post(CHECK, body(old, "new@example.org")).code == 2039


@pytest.mark.parametrize(("kind", "code"), [("ldap", 2049), ("saml", 2049), ("remote", 2049)])
def test_passwords_that_are_kept_elsewhere(
    kernel: Kernel, stranger: Client, as_actor: Callable[..., Any], token: Callable[..., str], kind: str, code: int
) -> None:
    given = token()
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET auth_type = :k WHERE username = 'bob'"), {"k": kind})
    for path in (CHECK, MODIFY):
        assert stranger.post(path, body(given)).code == code


@pytest.mark.atrio_config(accounts__auth_types="ldap")
def test_passwords_that_are_switched_off(kernel: Kernel, stranger: Client) -> None:
    token = kernel.run(lambda ctx: api.make_reset_token(ctx, 1))
    admin = {"email": "admin@admin.admin", "password": PASSWORD}
    assert stranger.post("/api/auth/login", admin).code == 4001
    assert Client(kernel.app, "admin@admin.admin", PASSWORD).get("/api/auth/whoami").status == 401
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET auth_type = 'internal'"))
    assert stranger.post(CHECK, body(token, "admin@admin.admin")).code == 2050
    assert stranger.post(MODIFY, body(token, "admin@admin.admin")).code == 2050


def test_the_second_of_two_who_use_a_token(
    kernel: Kernel, stranger: Client, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were told that the token is good; the row is deleted once."""
    from atrio.plugins.accounts.routes import sign_in

    given = token()
    hashing = sign_in.hash_password

    def first_comes_another(password: str) -> str:
        monkeypatch.setattr(sign_in, "hash_password", hashing)
        other = Client(kernel.app)
        assert other.post(MODIFY, body(given, password="the-first")).status == 204
        return hashing(password)

    monkeypatch.setattr(sign_in, "hash_password", first_comes_another)
    assert stranger.post(MODIFY, body(given, password="the-second")).code == 2039
    assert Client(kernel.app, "bob", "the-first").get("/api/auth/whoami").status == 200


def test_the_link_leads_to_the_page(kernel: Kernel) -> None:
    with kernel.unit(writes=False) as ctx:
        link = api.reset_link(ctx, "a+b@example.org", "t/k")
    assert link.endswith("/ui/reset-password?token=t%2Fk&email=a%2Bb%40example.org")
