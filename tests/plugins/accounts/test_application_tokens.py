"""Passwords for single programs: made once, shown once, ended one by one."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD


def basic(login: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


@pytest.fixture
def bob(as_actor: Any) -> Any:
    return as_actor("bob")


def make(person: Any, user_id: int, **values: Any) -> Any:
    body = {"label": "Laptop", "loggedin_user_password": PASSWORD, **values}
    return person.post(f"/api/users/{user_id}/application_tokens", body)


def me(person: Any) -> int:
    return int(person.get("/api/auth/whoami").json["user_id"])


def test_a_token_signs_in_until_it_is_ended(kernel: Any, bob: Any, stranger: Client) -> None:
    who = me(bob)
    made = make(bob, who)
    assert made.status == 200, made.body
    token, login = made.json["token"], made.json["login"]
    assert token.startswith("atrio-")
    headers = basic(login, token)
    answer = stranger.get("/api/auth/whoami", headers=headers)
    assert (answer.status, answer.json["user_id"]) == (200, who)
    listed = bob.get(f"/api/users/{who}/application_tokens").json
    assert [(t["token_id"], t["label"], t["expires"]) for t in listed] == [(made.json["token_id"], "Laptop", None)]
    assert listed[0]["last_used"] is not None
    assert token not in bob.get(f"/api/users/{who}/application_tokens").body.decode()
    stored = kernel.run(
        lambda ctx: ctx.execute(text("SELECT token_hash FROM accounts_application_token")).scalar()
    )
    assert token not in stored
    gone = f"/api/users/{who}/application_tokens/{made.json['token_id']}"
    assert bob.delete(gone).status == 204
    assert bob.delete(gone).status == 404
    assert stranger.get("/api/auth/whoami", headers=headers).status == 401


def test_making_one_takes_the_password_and_oneself(bob: Any, as_actor: Any, stranger: Client) -> None:
    who, carol = me(bob), as_actor("carol")
    assert make(bob, who, loggedin_user_password="wrong-password").status == 403
    assert make(carol, who).status == 403
    assert make(as_actor("boss", profile="administrators"), who).status == 403
    assert carol.get(f"/api/users/{who}/application_tokens").status == 403
    made = make(bob, who)
    headers = basic(made.json["login"], made.json["token"])
    body = {"label": "More", "loggedin_user_password": PASSWORD}
    answer = stranger.post(f"/api/users/{who}/application_tokens", body, headers=headers)
    assert answer.status == 403, "a token makes no other"
    assert carol.delete(f"/api/users/{who}/application_tokens/{made.json['token_id']}").status == 403
    assert make(bob, who, label="").status == 400
    assert make(bob, who, days=0).status == 400


def test_it_is_good_for_its_user_and_its_days(kernel: Any, bob: Any, as_actor: Any, stranger: Client) -> None:
    who, carol = me(bob), as_actor("carol")
    made = make(bob, who, days=1).json
    whose = carol.get("/api/auth/whoami").json
    other = whose["username"] or whose["email"]
    assert stranger.get("/api/auth/whoami", headers=basic(other, made["token"])).status == 401
    assert stranger.get("/api/auth/whoami", headers=basic(made["login"].upper(), made["token"])).status == 200
    past = text("UPDATE accounts_application_token SET expires = 1")
    kernel.run(lambda ctx: ctx.execute(past))
    assert stranger.get("/api/auth/whoami", headers=basic(made["login"], made["token"])).status == 401


def test_it_ends_with_the_password_and_the_account(bob: Any, stranger: Client, as_actor: Any) -> None:
    who = me(bob)
    root = as_actor("boss", profile="administrators")
    made = make(bob, who).json
    headers = basic(made["login"], made["token"])
    assert root.put(f"/api/users/{who}/disabled").status == 204
    assert stranger.get("/api/auth/whoami", headers=headers).status == 401
    assert root.put(f"/api/users/{who}/enabled").status == 204
    assert stranger.get("/api/auth/whoami", headers=headers).status == 401, "it is gone for good"


@pytest.mark.atrio_config(accounts__failures_allowed=2)
def test_guessing_is_throttled(bob: Any, stranger: Client) -> None:
    made = make(bob, me(bob)).json
    wrong = basic(made["login"], "atrio-" + "x" * 43)
    statuses = [stranger.get("/api/auth/whoami", headers=wrong, client="192.0.2.7").status for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_there_is_a_number_of_them(bob: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.plugins.accounts.services import devices

    monkeypatch.setattr(devices, "MOST", 1)
    who = me(bob)
    assert make(bob, who).status == 200
    assert make(bob, who).status == 409


def test_the_list_takes_as_many_statements_for_any_number(kernel: Any, bob: Any, statements: Any) -> None:
    from atrio.plugins.accounts.services import create_application_token

    who, counts = me(bob), []
    for many in (10, 90):
        for number in range(many):
            kernel.run(lambda ctx, n=number: create_application_token(ctx, who, str(n)))
        with statements() as seen:
            assert len(bob.get(f"/api/users/{who}/application_tokens").json) >= many
        counts.append(len(seen))
    assert counts[0] == counts[1]
