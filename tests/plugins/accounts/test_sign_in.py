"""Signing in: session cookie, Basic, API key, and what ends them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.plugins.accounts import authentication, passwords, services

ADMIN = {"email": "admin@admin.admin", "password": "admin-password"}
WEEK = 604800


@pytest.fixture
def browser(kernel: Kernel) -> Iterator[Callable[[], Client]]:
    """`browser()` gives a client that is not signed in and keeps its cookies."""
    made: list[Client] = []

    def open_one() -> Client:
        made.append(Client(kernel.app))
        return made[-1]

    yield open_one
    for client in made:
        client.close()


def sessions(kernel: Kernel) -> list[Any]:
    with kernel.unit(writes=False) as ctx:
        return list(ctx.execute(text("SELECT token_hash, user_id, expires FROM accounts_session")).all())


def cookie_of(answer: Any) -> str | None:
    return next((value for name, value in answer.all_headers if name == "set-cookie"), None)


# -- the cookie ----------------------------------------------------------------------------------------------


def test_signing_in_gives_the_user_and_a_cookie(kernel: Kernel, stranger: Client, clock: Any) -> None:
    answer = stranger.post("/api/auth/login", ADMIN)
    assert (answer.status, answer.json["user_id"]) == (200, 1)
    assert re.fullmatch(
        r"session_key=[\w-]{40,}; expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; HttpOnly; Path=/; SameSite=Lax",
        cookie_of(answer) or "",
    )
    (row,) = sessions(kernel)
    assert row.token_hash not in str(answer.all_headers)
    assert stranger.cookies["session_key"] not in row.token_hash, "the row holds a hash, not the token"
    assert row.expires == clock.now() + WEEK * 1_000_000
    assert stranger.get("/api/auth/whoami").json == answer.json


@pytest.mark.atrio_config(accounts__session_secure=True)
def test_a_secure_cookie(stranger: Client) -> None:
    assert (cookie_of(stranger.post("/api/auth/login", ADMIN)) or "").endswith("; SameSite=Lax; Secure")


def test_two_sign_ins_are_two_sessions(kernel: Kernel, browser: Callable[[], Client]) -> None:
    one, two = browser(), browser()
    one.post("/api/auth/login", ADMIN)
    two.post("/api/auth/login", ADMIN)
    assert one.cookies != two.cookies
    assert one.post("/api/auth/logout").status == 204
    assert two.get("/api/auth/whoami").status == 200


def test_the_cookie_is_renewed_past_half_its_life(kernel: Kernel, stranger: Client, clock: Any) -> None:
    stranger.post("/api/auth/login", ADMIN)
    clock.move(WEEK / 2 - 10)
    assert cookie_of(stranger.get("/api/auth/whoami")) is None
    clock.move(20)
    answer = stranger.get("/api/auth/whoami")
    assert (cookie_of(answer) or "").startswith(f"session_key={stranger.cookies['session_key']}; expires=")
    assert sessions(kernel)[0].expires == clock.now() + WEEK * 1_000_000
    assert cookie_of(stranger.get("/api/auth/whoami")) is None, "once is enough"
    clock.move(WEEK - 10)
    assert stranger.get("/api/auth/whoami").status == 200


def test_a_session_ends(kernel: Kernel, stranger: Client, clock: Any) -> None:
    stranger.post("/api/auth/login", ADMIN)
    clock.move(WEEK + 1)
    assert stranger.get("/api/auth/whoami").status == 401
    stranger.post("/api/auth/login", ADMIN)
    assert len(sessions(kernel)) == 1, "sessions that are over are forgotten"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signing_out(kernel: Kernel, stranger: Client, method: str, clock: Any) -> None:
    stranger.post("/api/auth/login", ADMIN)
    token = stranger.cookies["session_key"]
    clock.move(WEEK * 0.75)
    answer = stranger.request(method, "/api/auth/logout")
    assert (answer.status, answer.body) == (204, b"")
    cookies = [value for name, value in answer.all_headers if name == "set-cookie"]
    assert cookies == ["session_key=; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Path=/; SameSite=Lax"]
    assert sessions(kernel) == []
    assert stranger.get("/api/auth/whoami", headers={"Cookie": f"session_key={token}"}).status == 401
    assert stranger.request(method, "/api/auth/logout").status == 204, "a stranger may sign out too"


@pytest.mark.parametrize(
    "value", ["", "x", "x" * 43, "é" * 30, "../../etc", "'; DROP TABLE accounts_session; --" * 3]
)
def test_a_cookie_of_ours_that_is_none(stranger: Client, value: str) -> None:
    answer = stranger.get("/api/auth/whoami", headers={"Cookie": f"session_key={value}"})
    assert (answer.status, answer.code) == (401, None)


# -- passwords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": "admin@admin.admin", "password": "wrong-password"}, 403, 4001),
        ({"email": "nobody@x.y", "password": "admin-password"}, 403, 4001),
        ({"username": "nobody", "password": "admin-password"}, 403, 4001),
        ({"email": "admin@admin.admin", "password": "short"}, 400, 2001),
        ({"email": "admin@admin.admin", "password": "x" * 513}, 400, 2001),
        ({"password": "admin-password"}, 400, 2001), ({"email": "admin@admin.admin"}, 400, 2001),
        ({"email": None, "username": None, "password": "admin-password"}, 400, 2001),
        ({"username": "a\x00b", "password": "admin-password"}, 400, 2001),
        ({"email": "admin", "password": "admin-password"}, 400, 2001),
    ],
)  # fmt: skip
def test_refused(stranger: Client, body: dict[str, Any], status: int, code: int) -> None:
    answer = stranger.post("/api/auth/login", body)
    assert (answer.status, answer.code) == (status, code)
    assert cookie_of(answer) is None


def test_the_address_is_tried_first_then_the_username(stranger: Client, as_actor: Any) -> None:
    bob = as_actor("bob")
    body = {"email": "absent@x.y", "username": "bob", "password": "admin-password"}
    assert stranger.post("/api/auth/login", body).json["user_id"] == bob.user_id
    assert stranger.post("/api/auth/login", body | {"email": ADMIN["email"]}).json["user_id"] == 1
    upper = {"email": "ADMIN@Admin.admin", "password": "admin-password"}
    assert stranger.post("/api/auth/login", upper).json["user_id"] == 1


def test_the_first_sign_in_binds_the_account(stranger: Client, as_actor: Any, events: list[Any]) -> None:
    as_actor("bob")
    events.clear()
    for _ in range(2):
        answer = stranger.post("/api/auth/login", {"username": "bob", "password": "admin-password"})
        assert answer.json["auth_type"] == "internal"
    assert [event.name for event in events] == ["user.modified"]


@pytest.mark.parametrize("column", ["is_active = 0", "is_deleted = 1"])
def test_an_account_that_is_off(kernel: Kernel, stranger: Client, as_actor: Any, column: str) -> None:
    bob = as_actor("bob")
    assert stranger.post("/api/auth/login", {"username": "bob", "password": "admin-password"}).status == 200
    assert bob.get("/api/auth/whoami").status == 200
    with kernel.unit() as ctx:
        ctx.execute(text(f"UPDATE accounts_user SET {column} WHERE username = 'bob'"))
    assert stranger.get("/api/auth/whoami").status == 401, "its cookie"
    assert bob.get("/api/auth/whoami").status == 401, "its remembered Basic credentials"
    stranger.cookies.clear()
    answer = stranger.post("/api/auth/login", {"username": "bob", "password": "admin-password"})
    assert (answer.status, answer.code) == (403, 4001)


def _basic(value: str | bytes) -> dict[str, str]:
    data = value.encode() if isinstance(value, str) else value
    return {"Authorization": f"Basic {base64.b64encode(data).decode()}"}


def test_basic_needs_no_cookie_and_gets_none(stranger: Client) -> None:
    answer = stranger.get("/api/auth/whoami", headers=_basic("admin@admin.admin:admin-password"))
    assert (answer.status, cookie_of(answer)) == (200, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic"}, {"Authorization": "Basic !!!"}, {"Authorization": "Bearer x"}, _basic("nocolon"),
        _basic(":password"), _basic("admin@admin.admin:"), _basic("admin@admin.admin:wrong"), _basic(b"\xff:\xff"),
        _basic("a\x00b:c"), _basic("x" * 2000 + ":y"), _basic("admin@admin.admin:" + "y" * 2000),
    ],
)  # fmt: skip
def test_basic_that_is_none(stranger: Client, headers: dict[str, str]) -> None:
    answer = stranger.get("/api/auth/whoami", headers=headers)
    assert (answer.status, answer.code) == (401, None)
    assert "www-authenticate" not in answer.headers


def test_remembered_credentials_are_not_verified_again_and_end_with_the_password(
    kernel: Kernel, as_actor: Any, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = as_actor("bob")
    runs: list[int] = []
    verify = passwords.verify
    monkeypatch.setattr(passwords, "verify", lambda *given: (runs.append(1), verify(*given))[1])
    stranger.post("/api/auth/login", {"username": "bob", "password": "admin-password"})
    for _ in range(3):
        assert bob.get("/api/auth/whoami").status == 200
    assert len(runs) == 1
    kernel.run(lambda ctx: services.set_password(ctx, bob.user_id, passwords.hash_password("another-password")))
    assert bob.get("/api/auth/whoami").status == 401
    assert stranger.get("/api/auth/whoami").status == 401, "its sessions ended in the same transaction"
    bob.password = "another-password"
    assert bob.get("/api/auth/whoami").status == 200


def test_a_wrong_password_is_never_remembered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.password = "wrong-password"
    runs: list[int] = []
    verify = passwords.verify
    monkeypatch.setattr(passwords, "verify", lambda *given: (runs.append(1), verify(*given))[1])
    for _ in range(3):
        assert client.get("/api/auth/whoami").status == 401
    assert len(runs) == 3


def test_an_unknown_login_costs_a_verification_too(stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(passwords, "verify", lambda stored, given: bool(seen.append(stored)))
    stranger.post("/api/auth/login", {"username": "nobody", "password": "some-password"})
    assert seen == [None]


def test_too_many_failures_of_one_login_and_address(kernel: Kernel, stranger: Client) -> None:
    wrong = ADMIN | {"password": "wrong-password"}
    for _ in range(10):
        assert stranger.post("/api/auth/login", wrong, client="192.0.2.1").code == 4001
    answer = stranger.post("/api/auth/login", wrong, client="192.0.2.1")
    assert (answer.status, answer.code) == (429, 20004)
    assert 0 < int(answer.headers["retry-after"]) <= 600
    basic = _basic("admin@admin.admin:wrong-password")
    assert stranger.get("/api/auth/whoami", headers=basic, client="192.0.2.1").status == 429
    assert stranger.post("/api/auth/login", ADMIN, client="192.0.2.1").status == 429, "not even the right one"
    assert stranger.post("/api/auth/login", wrong | {"email": "x@y.z"}, client="192.0.2.1").status == 403
    assert stranger.post("/api/auth/login", ADMIN, client="192.0.2.2").status == 200


@pytest.mark.atrio_config(accounts__failures_allowed=2)
def test_a_forged_address_does_not_help(stranger: Client) -> None:
    wrong = ADMIN | {"password": "wrong-password"}
    statuses = [
        stranger.post("/api/auth/login", wrong, headers={"X-Forwarded-For": f"198.51.100.{i}"}).status
        for i in range(4)
    ]
    assert statuses == [403, 403, 429, 429]


# -- API key -------------------------------------------------------------------------------------------------

KEY = pytest.mark.atrio_config(accounts__api_key="the-key")


@KEY
@pytest.mark.parametrize("prefix", ["Tracim", "Atrio"])
@pytest.mark.parametrize("login", ["bob", "bob@example.org", "BOB@example.org"])
def test_the_key_acts_as_any_active_user(stranger: Client, as_actor: Any, prefix: str, login: str) -> None:
    bob = as_actor("bob")
    headers = {f"{prefix}-Api-Key": "the-key", f"{prefix}-Api-Login": login}
    assert stranger.get("/api/auth/whoami", headers=headers).json["user_id"] == bob.user_id


@KEY
@pytest.mark.parametrize(
    "headers",
    [
        {"Tracim-Api-Key": "the-key"}, {"Tracim-Api-Login": "admin@admin.admin"},
        {"Tracim-Api-Key": "wrong", "Tracim-Api-Login": "admin@admin.admin"},
        {"Tracim-Api-Key": "", "Tracim-Api-Login": "admin@admin.admin"},
        {"Tracim-Api-Key": "the-key", "Tracim-Api-Login": "nobody"},
        {"Tracim-Api-Key": "the-kéy", "Tracim-Api-Login": "admin@admin.admin"},
    ],
)  # fmt: skip
def test_half_a_key_is_none(stranger: Client, headers: dict[str, str]) -> None:
    assert stranger.get("/api/auth/whoami", headers=headers).status == 401


@KEY
def test_the_key_does_not_wake_the_dead(stranger: Client, as_actor: Any) -> None:
    as_actor("bob", active=False)
    headers = {"Tracim-Api-Key": "the-key", "Tracim-Api-Login": "bob"}
    assert stranger.get("/api/auth/whoami", headers=headers).status == 401


def test_without_a_key_in_the_config_none_opens(stranger: Client) -> None:
    for key in ("", "None", "null"):
        headers = {"Tracim-Api-Key": key, "Tracim-Api-Login": "admin@admin.admin"}
        assert stranger.get("/api/auth/whoami", headers=headers).status == 401


# -- which counts --------------------------------------------------------------------------------------------


@KEY
def test_cookie_before_key_before_basic(stranger: Client, as_actor: Any) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    stranger.post("/api/auth/login", ADMIN)
    key = {"Tracim-Api-Key": "the-key", "Tracim-Api-Login": "bob"}
    basic = _basic("eve:admin-password")
    assert stranger.get("/api/auth/whoami", headers=key | basic).json["user_id"] == 1
    stranger.cookies = {"session_key": "x" * 43}
    assert stranger.get("/api/auth/whoami", headers=key | basic).json["user_id"] == bob.user_id
    assert (
        stranger.get("/api/auth/whoami", headers=key | basic | {"Tracim-Api-Key": "no"}).json["user_id"]
        == eve.user_id
    )


def test_no_secret_is_logged(stranger: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    stranger.post("/api/auth/login", ADMIN)
    stranger.get("/api/auth/whoami?access_token=hidden-value", headers=_basic("eve:wrong-password"))
    for secret in ("admin-password", "wrong-password", "hidden-value", stranger.cookies["session_key"]):
        assert secret not in caplog.text


def test_passwords_are_kept_as_argon2(kernel: Kernel) -> None:
    with kernel.unit(writes=False) as ctx:
        stored = ctx.execute(text("SELECT password_hash FROM accounts_user")).scalar()
    assert str(stored).startswith("$argon2id$")
    assert passwords.verify(stored, "admin-password")
    assert not passwords.verify(stored, "admin-passwore")
    assert not passwords.verify(None, "nobody has this password")
    assert not passwords.verify("nonsense", "x")
    assert authentication.COOKIE == "session_key"
