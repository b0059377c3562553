"""Accounts on PostgreSQL and MariaDB: case, races, upserts, tokens, pictures, removal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD
from atrio.plugins.accounts import api, queries, services
from tests.plugins.accounts.racing import race

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]
MINE = {"loggedin_user_password": PASSWORD}


def make(client: Client, name: str, **values: Any) -> int:
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD, **values}
    answer = client.post("/api/users", body)
    assert answer.status == 200, answer.body
    return int(answer.json["user_id"])


def test_the_way_of_an_account(kernel: Kernel, client: Client) -> None:
    bob = make(client, "bob", public_name="Bób 😀")
    own = f"/api/users/{bob}"
    mine = Client(kernel.app, "bob", PASSWORD)
    assert mine.get(own).json["public_name"] == "Bób 😀"
    for given in ({"a": "é😀", "A": 1, "x.y": None}, {"a": "ü", "b": True}):
        assert mine.put(f"{own}/config", {"parameters": given}).status == 204
    assert mine.get(f"{own}/config").json == {"parameters": {"A": 1, "a": "ü", "b": True, "x.y": None}}
    for document in ({"location": "Lyon 😀"}, {"tagline": "b"}):
        assert mine.put(f"{own}/custom-properties", {"parameters": document}).status == 204
        assert mine.get(f"{own}/custom-properties").json == {"parameters": document}
    buffer = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(buffer, "PNG")
    for _ in range(2):
        for kind in ("avatar", "cover"):
            form = {"files": ("a.png", buffer.getvalue(), "image/png")}
            assert mine.request("PUT", f"{own}/{kind}/raw/a", files=form).status == 204
            assert mine.get(f"{own}/{kind}/preview/jpg/a").status == 200
    assert mine.post(f"{own}/following", {"user_id": 1}).status == 201
    assert mine.post(f"{own}/following", {"user_id": 1}).code == 3012
    about = mine.get(f"{own}/about").json
    assert (about["leaders_count"], about["has_cover"]) == (1, True)
    page = mine.get(f"{own}/following").json
    assert page["items"] == [{"user_id": 1}]
    token = kernel.run(lambda ctx: api.make_reset_token(ctx, bob))
    new = {
        "email": "bob@example.org", "reset_password_token": token, "new_password": "new-one",
        "new_password2": "new-one",
    }  # fmt: skip
    assert mine.post("/api/auth/password/reset/modify", new).status == 204
    assert mine.post("/api/auth/password/reset/modify", new).code == 2039
    access = kernel.run(lambda ctx: api.issue_access_token(ctx, bob))
    assert Client(kernel.app).get(f"/api/auth/whoami?access_token={access}").json["user_id"] == bob
    for switch in ("disabled", "enabled", "trashed", "trashed/restore"):
        assert client.put(f"{own}/{switch}").status == 204
    assert Client(kernel.app).get(f"/api/auth/whoami?access_token={access}").status == 401


def test_logins_are_told_apart_byte_by_byte(client: Client) -> None:
    make(client, "bob")
    other = make(client, "Bob", email="other@example.org")
    assert client.get("/api/system/username-availability?username=BOB").json["available"] is True
    path = f"/api/users/{other}/username"
    assert client.put(path, {**MINE, "username": "bob"}).code == 2063
    assert client.put(path, {**MINE, "username": "BOB"}).status == 200
    assert client.put(f"/api/users/{other}/email", {**MINE, "email": "BOB@example.org"}).code == 2036


def test_races(kernel: Kernel, client: Client) -> None:
    people = [Client(kernel.app, f"user{n}", PASSWORD) for n in range(4)]
    ids = [make(client, f"user{n}") for n in range(4)]

    def asked(rest: str, body: dict[str, Any], *, own: bool = True, method: str = "PUT") -> list[Any]:
        users = ids if own else ids[:1] * 4
        logins = people if own else [Client(kernel.app, "user0", PASSWORD) for _ in range(4)]
        return race(
            [
                lambda p=person, u=user_id: p.request(method, f"/api/users/{u}/{rest}", json_body=body)
                for person, user_id in zip(logins, users, strict=True)
            ]
        )

    emails = asked("email", {**MINE, "email": "wanted@example.org"})
    assert sorted(a.status for a in emails) == [200, 400, 400, 400]
    assert {a.code for a in emails if a.status == 400} == {2036}
    usernames = asked("username", {**MINE, "username": "wanted"})
    assert sorted(a.status for a in usernames) == [200, 400, 400, 400]
    assert {a.code for a in usernames if a.status == 400} == {2063}
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET username = 'user0' WHERE user_id = :u"), {"u": ids[0]})
    follows = asked("following", {"user_id": 1}, own=False, method="POST")
    assert sorted(a.status for a in follows) == [201, 400, 400, 400]
    assert {a.code for a in follows if a.status == 400} == {3012}
    writes = asked("config", {"parameters": {f"n{i}": i for i in range(50)}}, own=False)
    assert {a.status for a in writes} <= {204, 503}
    assert 204 in {a.status for a in writes}


def test_removal(kernel: Kernel, client: Client) -> None:
    bob, eve = make(client, "bob"), make(client, "eve")
    for user_id in (bob, eve):
        assert client.put(f"/api/users/{user_id}/config", {"parameters": {"a": 1}}).status == 204
        assert client.post(f"/api/users/{user_id}/following", {"user_id": 1}).status == 201
        assert client.post("/api/users/1/following", {"user_id": user_id}).status == 201
    with kernel.unit(writes=False) as ctx:
        found = {(table, column): rows for table, column, _, rows in queries.traces(ctx, bob)}
    assert found == {
        ("accounts_follow", "follower_id"): 1, ("accounts_follow", "leader_id"): 1, ("accounts_parameter", "user_id"): 1,
        ("mail_outgoing", "user_id"): 1, ("search_person", "user_id"): 1,
    }  # fmt: skip
    kernel.run(lambda ctx: services.anonymize_user(ctx, eve))
    kernel.run(lambda ctx: services.purge_user(ctx, bob))
    assert client.get("/api/users/1/following").json["items"] == []
    assert client.get(f"/api/users/{bob}").code == 1001
    assert client.get(f"/api/users/{eve}").json["public_name"] == "Deleted user"
    assert make(client, "bob") > eve, "an id is never given again"
