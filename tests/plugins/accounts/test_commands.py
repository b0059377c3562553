"""`atrio user` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from atrio.kernel import cli as cli_module
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import PASSWORD, make_kernel


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of an instance with its first administrator."""
    kernel = make_kernel(tmp_path / "data")
    kernel.stop()
    return tmp_path / "data"


@pytest.fixture
def user(data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`user("create", "-e", …)` runs a command; `fails=True` when it must not succeed."""
    monkeypatch.setenv("ATRIO_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("ATRIO_ACCOUNTS__EMAIL_REQUIRED", "false")
    root = cli_module.PluginGroup(
        "atrio", commands=dict(cli_module.cli.commands), params=cli_module.cli.params,
        callback=cli_module.cli.callback,
    )  # fmt: skip

    def run(*words: str, fails: bool = False, typed: str | None = None) -> Any:
        done = CliRunner().invoke(root, ["--data-dir", str(data), "user", *words], input=typed)
        assert (done.exit_code != 0) is fails, (words, done.output, done.exception)
        return done

    return run


@pytest.fixture
def inside(data: Path) -> Iterator[Callable[..., Client]]:
    """`inside(login, password)` is a client of the instance on this folder."""
    booted: list[Kernel] = []

    def give(login: str | None = None, password: str = PASSWORD) -> Client:
        kernel = make_kernel(data)
        booted.append(kernel)
        return Client(kernel.app, login, password)

    yield give
    for kernel in booted:
        kernel.stop()
        kernel.app.pool.close()
        kernel.app.io.close()


def refused(done: Any) -> str:
    return f"{done.output} {done.exception}"


def test_create_show_list_update(user: Callable[..., Any], inside: Callable[..., Client]) -> None:
    made = user(
        "create", "-e", "Bob <Bob@example.org>", "-u", "bob", "-p", "secret-one", "--profile", "trusted-users",
        "--lang", "fr", "--timezone", "Europe/Paris", "--allowed_space", "12", "--json",
    )  # fmt: skip
    shown = json.loads(made.output)
    assert (shown["email"], shown["public_name"], shown["profile"]) == ("bob@example.org", "Bob", "trusted-users")
    assert (shown["lang"], shown["timezone"], shown["allowed_space"]) == ("fr", "Europe/Paris", 12)
    assert json.loads(user("show", "bob", "--json").output) == shown
    assert "public_name: Bob" in user("show", "BOB@example.org").output
    changed = user("update", "bob", "--lang", "en", "-p", "secret-two", "-u", "robert", "--json")
    assert json.loads(changed.output) == {**shown, "lang": "en", "username": "robert"}
    assert inside("robert", "secret-two").get("/api/auth/whoami").json["lang"] == "en"
    user("update", "robert", "--profile", "users")
    listed = json.loads(user("list", "--json").output)
    assert [u["user_id"] for u in listed] == [shown["user_id"], 1]
    assert user("list").output.splitlines()[0].split("\t")[:4] == ["2", "bob@example.org", "Bob", "users"]
    assert json.loads(user("list", "--deleted", "--json").output) == []


def test_passwords(user: Callable[..., Any], inside: Callable[..., Client]) -> None:
    user("create", "-u", "ann", typed="secret-one\nsecret-one\n")
    user("create", "-u", "eve", "--no-password")
    user("password", "eve", typed="secret-two\nsecret-two\n")
    user("password", "ann", "-p", "12345", fails=True)
    assert inside("ann", "secret-one").get("/api/auth/whoami").status == 200
    assert inside("eve", "secret-two").get("/api/auth/whoami").status == 200


def test_a_link_works_once(user: Callable[..., Any], inside: Callable[..., Client]) -> None:
    user("create", "-e", "ann@example.org", "--no-password")
    link = user("reset-link", "ann@example.org", "--welcome").output.strip()
    assert "/ui/reset-password?token=" in link
    given = json.loads(user("reset-link", "ann@example.org", "--json").output)
    assert given["email"] == "ann@example.org"
    token = link.partition("token=")[2].partition("&")[0]
    client = inside()
    body = {
        "email": "ann@example.org", "reset_password_token": token, "new_password": "by-the-link",
        "new_password2": "by-the-link",
    }  # fmt: skip
    assert client.post("/api/auth/password/reset/modify", body).status == 204
    assert client.post("/api/auth/password/reset/modify", body).code == 2039
    assert inside("ann@example.org", "by-the-link").get("/api/auth/whoami").status == 200
    user("create", "-u", "nomail", "--no-password")
    assert "atrio user password" in refused(user("reset-link", "nomail", fails=True))


def test_refusals_are_failures(user: Callable[..., Any]) -> None:
    user("create", "-u", "bob", "--no-password")
    for words in (
        ("create", "-u", "bob", "--no-password"), ("create", "--no-password"), ("create", "-e", "x", "--no-password"),
        ("create", "-u", "all", "--no-password"), ("create", "-u", "x y z", "--no-password"),
        ("create", "-u", "eve", "--profile", "nobody", "--no-password"), ("create", "-u", "eve", "-p", "short"),
        ("update", "bob"), ("update", "nobody", "--lang", "en"), ("update", "bob", "-u", "reader"),
        ("update", "bob", "-e", "admin@admin.admin"), ("show", "nobody"), ("enable", "nobody"),
        ("disable", "nobody"), ("password", "nobody", "-p", "123456"), ("reset-link", "nobody"),
        ("delete", "nobody", "-y"), ("delete", "bob", "nobody", "-y"), ("anonymize", "nobody", "-y"),
        ("delete",),
    ):  # fmt: skip
        user(*words, fails=True)
    assert json.loads(user("show", "bob", "--json").output)["username"] == "bob"


def test_the_last_administrator_stays(user: Callable[..., Any]) -> None:
    root = "admin@admin.admin"
    for words in (
        ("disable", root), ("update", root, "--profile", "users"), ("delete", root, "-y", "--force"),
        ("anonymize", root, "-y"),
    ):  # fmt: skip
        assert "last administrator" in refused(user(*words, fails=True)), words
    user("create", "-u", "second", "--no-password", "--profile", "administrators")
    user("disable", root)
    assert json.loads(user("show", root, "--json").output)["is_active"] is False
    user("enable", root)
    user("delete", "second", "-y")


def author(client: Client) -> None:
    """Give bob a space, a note of his and a setting."""
    body = {"label": "Alpha", "description": "", "access_type": "open", "default_user_role": "reader"}
    space = client.post("/api/workspaces", body).json["workspace_id"]
    made = client.post(f"/api/workspaces/{space}/contents", {"label": "Note", "content_type": "html-document"})
    assert made.status == 200, made.body
    me = client.get("/api/auth/whoami").json["user_id"]
    assert client.put(f"/api/users/{me}/config", {"parameters": {"a": 1}}).status == 204
    assert client.post(f"/api/users/{me}/following", {"user_id": 1}).status == 201


def count(data: Path, table: str) -> int:
    kernel = make_kernel(data)
    with kernel.unit(writes=False) as ctx:
        found = int(ctx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
    kernel.stop()
    return found


def test_deleting(user: Callable[..., Any], inside: Callable[..., Client], data: Path) -> None:
    user("create", "-e", "bob@example.org", "-u", "bob", "-p", "secret-one", "--profile", "trusted-users")
    user("create", "-u", "eve", "--no-password")
    author(inside("bob", "secret-one"))
    dry = user("delete", "bob", "--dry-run", "--force").output
    assert "core_content_revision.author_id: 1 row(s) stay without him" in dry
    assert "spaces_space.owner_id: 1 row(s) stay without him" in dry
    assert "accounts_parameter.user_id: 1 row(s) go" in dry
    assert "would be deleted" in dry
    assert "nothing was changed" in dry
    said = refused(user("delete", "eve", "bob", "-y", fails=True))
    assert "core_content_content.author_id" in said
    assert "--anonymize-if-required" in said
    user("show", "eve")
    assert "Aborted" in refused(user("delete", "eve", fails=True, typed="n\n"))
    user("delete", "eve", typed="y\n")
    user("show", "eve", fails=True)
    user("delete", "bob", "-y", "--force")
    user("show", "bob", fails=True)
    assert count(data, "core_content_revision WHERE author_id IS NULL") == 1
    assert count(data, "accounts_parameter") == count(data, "accounts_follow") == 0
    user("create", "-u", "bob", "--no-password")
    assert json.loads(user("show", "bob", "--json").output)["user_id"] == 4, "an id is never given again"


def test_anonymizing(user: Callable[..., Any], inside: Callable[..., Client], data: Path) -> None:
    user("create", "-e", "bob@example.org", "-u", "bob", "-p", "secret-one", "--profile", "trusted-users")
    user("create", "-u", "eve", "-p", "secret-one", "--profile", "trusted-users")
    bob = inside("bob", "secret-one")
    author(bob)
    author(inside("eve", "secret-one"))
    properties = {"parameters": {"phone": "+33 1 23"}}
    assert bob.put("/api/users/2/custom-properties", properties).status == 204
    assert "would be" in user("anonymize", "bob", "--dry-run").output
    user("show", "bob")
    user("anonymize", "bob", typed="y\n")
    user("show", "bob", fails=True)
    user("show", "bob@example.org", fails=True)
    (gone,) = json.loads(user("list", "--deleted", "--json").output)
    assert (gone["public_name"], gone["username"], gone["is_active"]) == ("Deleted user", None, False)
    assert gone["email"].endswith("@anonymous.local")
    assert inside("bob", "secret-one").get("/api/auth/whoami").status == 401
    assert count(data, "core_content_revision WHERE author_id = 2") == 1
    for table in ("accounts_parameter", "accounts_properties", "accounts_follow"):
        assert count(data, f"{table} WHERE {'follower_id' if 'follow' in table else 'user_id'} = 2") == 0
    said = user("delete", "eve", "-y", "-a", "--anonymize-name", "Nobody").output
    assert "anonymized" in said
    names = {u["public_name"] for u in json.loads(user("list", "--deleted", "--json").output)}
    assert names == {"Deleted user", "Nobody"}
