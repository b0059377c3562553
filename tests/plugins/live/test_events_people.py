"""What is told of accounts and their settings."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD


def acquaintances(cast: Any, name: str) -> set[int]:
    """Who learns of an account: administrators, itself, and the members of its spaces who can sign in."""
    return set(cast.administrators | cast.members | {cast.ids[name]})


def test_the_life_of_an_account(cast: Any, log: Any) -> None:
    made = cast.ok("POST", "/api/users", {"email": "ann@example.org", "username": "ann", "password": PASSWORD})
    told = log.alone("user.created", cast.administrators | {made["user_id"]})
    assert told.fields["user"] == {
        "user_id": made["user_id"], "username": "ann", "public_name": made["public_name"], "is_active": True,
        "has_avatar": True, "has_cover": False,
    }  # fmt: skip
    assert (told.author, told.fields["client_token"]) == (1, None)
    path = f"/api/users/{cast.ids['reader']}"
    everybody_near = acquaintances(cast, "reader")
    for verb, event_type, near in (
        ("disabled", "user.modified", everybody_near), ("enabled", "user.modified", everybody_near),
        ("trashed", "user.deleted", everybody_near), ("trashed/restore", "user.undeleted", everybody_near),
    ):  # fmt: skip
        cast.ok("PUT", f"{path}/{verb}", {})
        told = log.alone(event_type, near)
        assert told.fields["user"]["user_id"] == cast.ids["reader"]
        assert told.fields["user"]["is_active"] is (verb != "disabled"), "as it is after the change"


def test_every_change_of_an_account_is_a_modification(cast: Any, log: Any) -> None:
    from PIL import Image

    picture = BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    png = {"files": {"files": ("me.png", picture.getvalue(), "image/png")}}
    path = f"/api/users/{cast.ids['reader']}"
    for what, body, options in (
        ("", {"public_name": "Renamed", "timezone": "Europe/Paris", "lang": "fr"}, {}),
        ("/email", {"loggedin_user_password": PASSWORD, "email": "new@example.org"}, {}),
        ("/username", {"loggedin_user_password": PASSWORD, "username": "renamed"}, {}),
        ("/profile", {"profile": "trusted-users"}, {}), ("/allowed_space", {"allowed_space": 5}, {}),
        ("/custom-properties", {"parameters": {}}, {}), ("/avatar/raw/me.png", None, png),
        ("/cover/raw/me.png", None, png),
    ):  # fmt: skip
        cast.ok("PUT", f"{path}{what}", body, **options)
        told = log.alone("user.modified", acquaintances(cast, "reader"))
        assert (told.author, told.fields["user"]["user_id"]) == (1, cast.ids["reader"]), what
    assert told.fields["user"] == {
        "user_id": cast.ids["reader"], "username": "renamed", "public_name": "Renamed", "is_active": True,
        "has_avatar": True, "has_cover": True,
    }  # fmt: skip


def test_what_changes_nothing_others_see_is_not_told(cast: Any, log: Any) -> None:
    person, path = cast.people["reader"], f"/api/users/{cast.ids['reader']}"
    cast.ok("PUT", f"{path}/disabled", {})
    assert log.types() == ["user.modified"]
    cast.ok("PUT", f"{path}/disabled", {})
    assert log.news() == [], "again: nothing happens"
    cast.ok("PUT", f"{path}/enabled", {})
    log.news()
    cast.ok("POST", f"{path}/following", {"user_id": 1}, "reader")
    assert person.get("/api/auth/whoami").status == 200
    assert person.get(f"{path}/messages").status == 200
    assert log.news() == []


def test_who_shares_only_a_trashed_space_is_not_told(cast: Any, log: Any) -> None:
    cast.ok("PUT", f"{cast.base}/trashed", {})
    log.news()
    cast.ok("PUT", f"/api/users/{cast.ids['reader']}/profile", {"profile": "trusted-users"})
    log.alone("user.modified", cast.administrators | {cast.ids["reader"]})


def test_settings_of_a_client_are_told_to_their_user_alone(cast: Any, log: Any) -> None:
    path = f"/api/users/{cast.ids['reader']}/config"
    cast.ok("PUT", path, {"parameters": {"a.b": "c", "n": 1}}, "reader")
    told = log.alone("user_config.modified", {cast.ids["reader"]})
    assert told.fields["user_config"] == {"parameters": {"a.b": "c", "n": 1}}
    assert (told.author, told.fields["user"]["user_id"]) == (cast.ids["reader"], cast.ids["reader"])
    cast.ok("PUT", path, {"parameters": {"m": 2}})
    told = log.alone("user_config.modified", {cast.ids["reader"]})
    assert told.fields["user_config"] == {"parameters": {"a.b": "c", "n": 1, "m": 2}}, "all of them"
    assert told.author == 1


def test_the_first_sign_in(kernel: Kernel, cast: Any, log: Any) -> None:
    """The account learns how it signs in; its user is the author, though he was nobody when he asked."""
    browser = Client(kernel.app)
    for times in (1, 0):
        answer = browser.post("/api/auth/login", {"username": "outsider", "password": PASSWORD})
        assert answer.status == 200, answer.body
        if times:
            told = log.alone("user.modified", cast.administrators | {cast.ids["outsider"]})
            assert told.author == told.fields["user"]["user_id"] == cast.ids["outsider"]
        else:
            assert log.news() == [], "only the first time"
    browser.close()


def test_the_token_of_the_client_comes_back(cast: Any, log: Any) -> None:
    path = f"/api/users/{cast.ids['reader']}/config"
    for token in ("abc-123", 'é"\\ x'):
        sent = {"X-Tracim-ClientToken": token}
        cast.ok("PUT", path, {"parameters": {"a": token}}, "reader", headers=sent)
        assert log.one().fields["client_token"] == token


def test_a_registration_has_no_author(kernel: Kernel, cast: Any, log: Any) -> None:
    from atrio.plugins.accounts.config import AccountsConfig

    kernel.config.replace(AccountsConfig, self_registration=True)
    browser = Client(kernel.app)
    answer = browser.post("/api/users/register", {"email": "me@example.org", "password": PASSWORD})
    browser.close()
    assert answer.status == 200, answer.body
    told = log.alone("user.created", cast.administrators | {answer.json["user_id"]})
    assert told.author is None
