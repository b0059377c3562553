"""Tokens of the query, users that a proxy names, and what is announced of signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from atrio.plugins.accounts.api import issue_access_token

WHO = "/api/auth/whoami"


# -- access tokens -------------------------------------------------------------------------------------------


@pytest.fixture
def token(kernel: Kernel, as_actor: Callable[..., Any]) -> str:
    """A token of bob's."""
    user_id = as_actor("bob").user_id
    return kernel.run(lambda ctx: issue_access_token(ctx, user_id))


def test_a_token_of_the_query_signs_in(kernel: Kernel, stranger: Client, token: str) -> None:
    answer = stranger.get(WHO, query={"access_token": token})
    assert (answer.status, answer.json["username"]) == (200, "bob")
    assert "set-cookie" not in answer.headers
    user_id = answer.json["user_id"]
    changed = stranger.put(f"/api/users/{user_id}?access_token={token}", {"timezone": "UTC", "lang": None})
    assert changed.status == 200, "no cookie, so no page can make a browser send it"
    with kernel.unit(writes=False) as ctx:
        stored = ctx.execute(text("SELECT token_hash FROM accounts_token")).scalar_one()
    assert stored != token
    assert stranger.get(WHO, query={"access_token": stored}).status == 401


def test_a_token_of_the_query_ends(stranger: Client, token: str, clock: Any) -> None:
    clock.move(604_799)
    assert stranger.get(WHO, query={"access_token": token}).status == 200
    clock.move(2)
    assert stranger.get(WHO, query={"access_token": token}).status == 401


@pytest.mark.parametrize(
    "query", ["access_token=", "access_token=x", "access_token=" + "x" * 43, "access_token=%ff"]
)
def test_tokens_that_are_none(stranger: Client, client: Client, query: str) -> None:
    assert stranger.get(f"{WHO}?{query}").status == 401
    assert client.get(f"{WHO}?{query}").status == 200, "other credentials still count"


def test_the_cookie_comes_before_the_token(stranger: Client, token: str) -> None:
    admin = {"email": "admin@admin.admin", "password": PASSWORD}
    assert stranger.post("/api/auth/login", admin).status == 200
    assert stranger.get(WHO, query={"access_token": token}).json["user_id"] == 1


# -- a trusted proxy -----------------------------------------------------------------------------------------

proxied = pytest.mark.atrio_config(
    accounts__remote_user_header="x-remote-user",
    server__trusted_proxies="127.0.0.1",
    accounts__email_required=False,
)


@proxied
def test_a_proxy_names_the_user(stranger: Client, as_actor: Callable[..., Any], events: list[Any]) -> None:
    bob = as_actor("bob")
    named = {"X-Remote-User": "bob@example.org"}
    assert stranger.get(WHO, headers=named).json["user_id"] == bob.user_id
    events.clear()
    for name in ("New@Example.org", "newcomer"):
        answer = stranger.get(WHO, headers={"X-Remote-User": name})
        shown = answer.json
        assert (answer.status, shown["auth_type"], shown["profile"]) == (200, "remote", "users")
        assert shown["email"] == (name.lower() if "@" in name else None)
        assert stranger.get(WHO, headers={"X-Remote-User": name}).json == shown, "the second time he is known"
    assert [e.name for e in events] == ["user.created", "user.created"]
    body = {"timezone": "UTC", "lang": None}
    own = f"/api/users/{shown['user_id']}"
    assert stranger.put(own, body, headers={"X-Remote-User": "newcomer"}).status == 200
    foreign = {"X-Remote-User": "newcomer", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = stranger.put(own, body, headers=foreign)
    assert (answer.status, answer.code) == (403, 20008)
    for wrong in ("a b", "x", "<a@b.c>", "all"):
        assert stranger.get(WHO, headers={"X-Remote-User": wrong}).status == 401, wrong


@proxied
def test_the_header_of_anybody_else_counts_nothing(kernel: Kernel, as_actor: Callable[..., Any]) -> None:
    as_actor("bob")
    answer = Client(kernel.app).request(
        "GET", WHO, headers={"X-Remote-User": "bob@example.org"}, client="198.51.100.7"
    )
    assert answer.status == 401


@proxied
def test_who_is_disabled_is_out_whatever_the_proxy_says(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    assert client.put(f"/api/users/{bob.user_id}/disabled").status == 204
    answer = Client(client.app).get(WHO, headers={"X-Remote-User": "bob@example.org"})
    assert answer.status == 401


def test_without_the_setting_the_header_counts_nothing(stranger: Client, as_actor: Callable[..., Any]) -> None:
    as_actor("bob")
    assert stranger.get(WHO, headers={"X-Remote-User": "bob@example.org"}).status == 401


# -- passwords of accounts that are kept elsewhere -----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "may"), [("internal", True), ("ldap", False), ("saml", False), ("remote", False)]
)
def test_a_password_that_was_left_over(kernel: Kernel, as_actor: Callable[..., Any], kind: str, may: bool) -> None:
    """Whoever moved to a directory does not come in by the password he had here before."""
    bob = as_actor("bob")
    assert bob.get(WHO).status == 200
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET auth_type = :k WHERE username = 'bob'"), {"k": kind})
    assert bob.get(WHO).status == (200 if may else 401)
    answer = Client(kernel.app).post("/api/auth/login", {"username": "bob", "password": PASSWORD})
    assert answer.status == (200 if may else 403)


# -- what is announced ---------------------------------------------------------------------------------------


def test_what_is_announced(kernel: Kernel) -> None:
    keys = ("auth_types", "user__self_registration__enabled", "user__read_only_fields", "email_required")
    announced = {key: kernel.capabilities[key] for key in (*keys, "new_user_invitation_do_notify")}
    assert announced == {
        "auth_types": ["internal"], "user__self_registration__enabled": False,
        "user__read_only_fields": {"internal": []}, "email_required": True, "new_user_invitation_do_notify": True,
    }  # fmt: skip


@pytest.mark.atrio_config(
    accounts__auth_types="ldap, internal", accounts__self_registration=True, accounts__read_only_ldap="email",
    accounts__remote_user_header="x-remote-user", accounts__email_required=False, accounts__invitation_notify=False,
)  # fmt: skip
def test_what_is_announced_follows_the_settings(kernel: Kernel) -> None:
    assert kernel.capabilities["auth_types"] == ["ldap", "internal"]
    assert kernel.capabilities["user__self_registration__enabled"] is True
    assert kernel.capabilities["user__read_only_fields"] == {"ldap": ["email"], "internal": [], "remote": []}
    assert kernel.capabilities["email_required"] is False
    assert kernel.capabilities["new_user_invitation_do_notify"] is False


def test_signing_out_ends_streams(stranger: Client, client: Client, events: list[Any]) -> None:
    assert stranger.post("/api/auth/login", {"email": "admin@admin.admin", "password": PASSWORD}).status == 200
    events.clear()
    assert stranger.post("/api/auth/logout").status == 204
    assert [(e.name, e.user_id) for e in events] == [("user.sessions_ended", 1)]
    events.clear()
    assert Client(client.app).post("/api/auth/logout").status == 204
    assert events == []


# -- rights --------------------------------------------------------------------------------------------------

OWN = (
    ("GET", ""), ("PUT", ""), ("PUT", "/email"), ("PUT", "/username"), ("PUT", "/password"), ("GET", "/config"),
    ("PUT", "/config"), ("PUT", "/custom-properties"), ("GET", "/following"), ("GET", "/followers"),
    ("POST", "/following"), ("DELETE", "/following/1"), ("PUT", "/avatar/raw/a"), ("PUT", "/cover/raw/a"),
)  # fmt: skip
ADMINISTERED = tuple(
    ("PUT", f"/{rest}")
    for rest in ("profile", "allowed_space", "enabled", "disabled", "trashed", "trashed/restore")
)


@pytest.mark.atrio_config(accounts__failures_allowed=1000)
def test_who_may(world: Any) -> None:
    """Rights come before the schema: the body is empty, so who may gets 2001 or an answer, never 4002."""
    target = world.ids["reader"]
    for rules, may in ((OWN, {"reader", "root"}), (ADMINISTERED, {"root"})):
        for method, rest in rules:
            for name, person in world.people.items():
                answer = person.request(method, f"/api/users/{target}{rest}", json_body={})
                code = answer.json.get("code") if answer.body else None
                if name in ("stranger", "deactivated"):
                    assert (answer.status, code) == (401, None), (name, method, rest)
                elif name in may:
                    assert answer.status in (200, 204) or code in (2001, 2005, None), (
                        name,
                        method,
                        rest,
                        answer.body,
                    )
                    assert answer.status not in (401, 403, 404)
                else:
                    assert (answer.status, code) == (403, 4002), (name, method, rest)
            for back in ("enabled", "trashed/restore"):
                assert world.people["root"].put(f"/api/users/{target}/{back}").status == 204
