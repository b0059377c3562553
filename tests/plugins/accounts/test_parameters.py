"""Parameters of clients, custom properties, and what is said of usernames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.config import ConfigError
from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import make_kernel


def own(client: Any, rest: str) -> str:
    return f"/api/users/{client.user_id}/{rest}"


# -- parameters ----------------------------------------------------------------------------------------------


def test_parameters_are_merged(as_actor: Callable[..., Any], client: Client, events: list[Any]) -> None:
    bob, eve = as_actor("bob"), as_actor("eve")
    path = own(bob, "config")
    assert bob.get(path).json == {"parameters": {}}
    first = {"a.b-c_D9": "é😀\u0000", "n": 1.5, "big": 2**60, "yes": True, "none": None, "A": "1", "a": "2"}
    events.clear()
    answer = bob.put(path, {"parameters": first})
    assert (answer.status, answer.body) == (204, b"")
    assert [(e.name, e.user_id, e.names) for e in events] == [
        ("user_config.modified", bob.user_id, tuple(sorted(first)))
    ]
    assert bob.get(path).json == {"parameters": first}
    assert bob.put(path, {"parameters": {"n": "two", "new": ""}}).status == 204
    assert bob.get(path).json == {"parameters": {**first, "n": "two", "new": ""}}
    events.clear()
    assert bob.put(path, {"parameters": {}}).status == 204
    assert events == []
    assert client.get(path).json["parameters"]["n"] == "two", "an administrator reads them"
    assert eve.get(path).code == eve.put(path, {"parameters": {}}).code == 4002
    assert eve.get(own(eve, "config")).json == {"parameters": {}}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"parameters": None}, {"parameters": []}, {"parameters": "x"}, {"parameters": {"a": {}}},
        {"parameters": {"a": []}}, {"parameters": {"a b": 1}}, {"parameters": {"": 1}}, {"parameters": {"é": 1}},
        {"parameters": {"a\n": 1}}, {"parameters": {"a/b": 1}}, {"parameters": {"x" * 256: 1}},
        {"parameters": {"a": "x" * 65537}}, {"parameters": {f"n{i}": 1 for i in range(1001)}}, [],
    ],
)  # fmt: skip
def test_parameters_that_are_none(as_actor: Callable[..., Any], body: Any) -> None:
    bob = as_actor("bob")
    assert bob.put(own(bob, "config"), {"parameters": {"kept": 1}}).status == 204
    answer = bob.put(own(bob, "config"), body)
    assert (answer.status, answer.code) == (400, 2001)
    assert bob.get(own(bob, "config")).json == {"parameters": {"kept": 1}}


def test_parameters_are_bounded(
    kernel: Kernel, as_actor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from atrio.plugins.accounts.services import personal

    monkeypatch.setattr(personal, "PARAMETERS", 3)
    bob = as_actor("bob")
    path = own(bob, "config")
    assert bob.put(path, {"parameters": {"a": 1, "b": 2, "c": 3}}).status == 204
    assert bob.put(path, {"parameters": {"a": 9, "b": 9}}).status == 204, "those that are there may change"
    assert bob.put(path, {"parameters": {"d": 1}}).code == 2001
    assert bob.get(path).json["parameters"] == {"a": 9, "b": 9, "c": 3}


def test_many_parameters_cost_as_much_as_few(as_actor: Callable[..., Any], statements: Any) -> None:
    bob = as_actor("bob")
    path = own(bob, "config")
    bob.get(path)
    counted = []
    for number in (10, 1000):
        with statements() as seen:
            assert bob.put(path, {"parameters": {f"n{i}": i for i in range(number)}}).status == 204
        with statements() as read:
            assert len(bob.get(path).json["parameters"]) == number
        counted.append((len(seen), len(read)))
    assert counted[0] == counted[1]


# -- custom properties ---------------------------------------------------------------------------------------

PROPERTIES = {
    "tagline": "Hi", "location": "Lyon", "hobbies": "none", "website": "https://example.org/",
    "birth_date": "1990-02-28", "phone": "+33 1", "languages": ["fr", "en"], "personal_page": "<p>me</p>",
}  # fmt: skip


def test_properties_are_replaced(as_actor: Callable[..., Any], client: Client, events: list[Any]) -> None:
    bob, eve, ann = as_actor("bob"), as_actor("eve"), as_actor("ann", profile="trusted-users")
    path = own(bob, "custom-properties")
    assert bob.get(path).json == {"parameters": {}}
    events.clear()
    answer = bob.put(path, {"parameters": PROPERTIES})
    assert (answer.status, answer.body) == (204, b"")
    assert [(e.name, e.fields) for e in events] == [("user.modified", ("custom_properties",))]
    assert bob.get(path).json == {"parameters": PROPERTIES}
    assert bob.put(path, {"parameters": {"location": "Nice"}}).status == 204
    for person in (bob, ann, client):
        assert person.get(path).json == {"parameters": {"location": "Nice"}}
    assert eve.get(path).code == 1001, "who does not know him"
    assert eve.put(path, {"parameters": {}}).code == ann.put(path, {"parameters": {}}).code == 4002
    assert client.put(path, {"parameters": {}}).status == 204
    assert bob.get(path).json == {"parameters": {}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("birth_date", "1990-02-30"), ("birth_date", 5), ("languages", "fr"), ("languages", [1]),
        ("website", "javascript:alert(1)"), ("phone", None), ("tagline", "x" * 256), ("hobbies", {}),
    ],
)  # fmt: skip
def test_properties_that_do_not_fit(as_actor: Callable[..., Any], name: str, value: Any) -> None:
    bob = as_actor("bob")
    answer = bob.put(own(bob, "custom-properties"), {"parameters": {**PROPERTIES, name: value}})
    assert (answer.status, answer.code) == (400, 2002)
    assert answer.json["message"].startswith(name)
    assert bob.get(own(bob, "custom-properties")).json == {"parameters": {}}


def test_documents_that_are_none(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    deep: Any = []
    for _ in range(30):
        deep = [deep]
    path = own(bob, "custom-properties")
    assert bob.put(path, {"parameters": {"a": deep}}).status == 204
    for _ in range(400):
        deep = {"a": deep}
    for wrong in (None, [], {"a": "x" * 262_144}, deep):
        assert bob.put(path, {"parameters": wrong}).code == 2001
    assert bob.put(path, {}).code == 2001


def test_html_of_properties_is_cleaned(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    evil = '<p onclick="x()">me<script>alert(1)</script></p>'
    given = {"personal_page": evil, "unheard_of": evil, "more": {"deep": [evil]}, "tagline": "1 < 2 & <b>"}
    assert bob.put(own(bob, "custom-properties"), {"parameters": given}).status == 204
    shown = bob.get(own(bob, "custom-properties")).json["parameters"]
    assert shown == {
        "personal_page": "<p>me</p>", "unheard_of": "<p>me</p>", "more": {"deep": ["<p>me</p>"]},
        "tagline": "1 < 2 & <b>",
    }, "texts that are described as plain are left alone"  # fmt: skip


def test_the_schemas_that_come_along(as_actor: Callable[..., Any], stranger: Client) -> None:
    from jsonschema import Draft7Validator

    bob = as_actor("bob")
    schema = bob.get("/api/system/user-custom-properties-schema").json
    assert set(schema) == {"json_schema"}
    Draft7Validator.check_schema(schema["json_schema"])
    assert set(schema["json_schema"]["properties"]) == set(PROPERTIES)
    ui = bob.get("/api/system/user-custom-properties-ui-schema").json
    assert set(ui) == {"ui_schema"}
    assert set(ui["ui_schema"]["ui:order"]) == set(PROPERTIES)
    for part in ("schema", "ui-schema"):
        assert stranger.get(f"/api/system/user-custom-properties-{part}").status == 401


@pytest.fixture
def instance(tmp_path: Path) -> Any:
    """`instance(schema, ui, translations)` boots with files of these contents."""
    booted = []

    def boot(schema: Any, ui: Any = None, words: dict[str, Any] | None = None) -> Kernel:
        files: dict[str, Any] = {}
        for name, value in (("schema", schema), ("ui_schema", ui)):
            if value is not None:
                path = tmp_path / f"{name}.json"
                path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
                files[f"accounts__custom_properties_{name}"] = str(path)
        if words is not None:
            folder = tmp_path / "words"
            folder.mkdir()
            for lang, texts in words.items():
                (folder / f"{lang}.json").write_text(json.dumps(texts), "utf-8")
            files["accounts__custom_properties_translations"] = str(folder)
        kernel = make_kernel(tmp_path / "data", files)
        booted.append(kernel)
        return kernel

    yield boot
    for kernel in booted:
        kernel.stop()


def admin(kernel: Kernel) -> Client:
    from atrio.kernel.testing.plugin import ADMIN, PASSWORD

    return Client(kernel.app, ADMIN, PASSWORD)


def test_schemas_of_the_instance_in_the_callers_language(instance: Any) -> None:
    schema = {
        "title": "Card", "type": "object", "required": ["team"],
        "properties": {
            "team": {"type": "string", "title": "Team", "enum": ["Team", "red"]},
            "title": {"type": "string", "title": "Job"},
        },
    }  # fmt: skip
    ui = {"team": {"ui:help": "Team", "ui:widget": "Team"}}
    kernel = instance(schema, ui, {"fr": {"Team": "Équipe", "Job": "Métier", "Card": ""}})
    client = admin(kernel)
    path = "/api/system/user-custom-properties"
    assert client.get(f"{path}-schema").json == {"json_schema": schema}
    assert client.put("/api/users/1", {"timezone": "", "lang": "fr"}).status == 200
    shown = client.get(f"{path}-schema").json["json_schema"]
    assert shown["title"] == "Card"
    assert shown["properties"]["team"] == {"type": "string", "title": "Équipe", "enum": ["Team", "red"]}
    assert shown["properties"]["title"] == {"type": "string", "title": "Métier"}
    assert client.get(f"{path}-ui-schema").json["ui_schema"] == {
        "team": {"ui:help": "Équipe", "ui:widget": "Team"}
    }
    assert client.put("/api/users/1", {"timezone": "", "lang": "../fr"}).status == 200
    assert client.get(f"{path}-schema").json == {"json_schema": schema}
    assert client.put("/api/users/1/custom-properties", {"parameters": {}}).code == 2002
    assert client.put("/api/users/1/custom-properties", {"parameters": {"team": "red"}}).status == 204


def test_nothing_is_fetched_for_a_reference(instance: Any) -> None:
    kernel = instance({"properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}})
    answer = admin(kernel).put("/api/users/1/custom-properties", {"parameters": {"a": 1}})
    assert (answer.status, answer.code) == (400, 2002)


@pytest.mark.parametrize(
    ("schema", "said"),
    [("{", "no JSON"), ("[]", "no JSON object"), ({"type": "strange"}, "no JSON schema")],
)
def test_a_schema_that_is_none_stops_the_boot(instance: Any, schema: Any, said: str) -> None:
    with pytest.raises(BootError, match=said):
        instance(schema)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"accounts__custom_properties_ui_schema": "/nowhere.json"}, "nowhere"),
        ({"accounts__custom_properties_translations": "/nowhere"}, "no folder"),
        ({"accounts__auth_types": "internal,remote"}, "remote"),
        ({"accounts__auth_types": ""}, "nothing"),
        ({"accounts__read_only_saml": "phone"}, "phone"),
        ({"accounts__remote_user_header": "x-user"}, "x-remote-user"),
        ({"accounts__default_profile": "nobody"}, "users"),
    ],
)
def test_settings_that_mean_nothing_stop_the_boot(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    with pytest.raises((BootError, ConfigError), match=said):
        make_kernel(tmp_path, settings)


# -- usernames -----------------------------------------------------------------------------------------------


@pytest.mark.atrio_config(accounts__reserved_usernames="Root, all")
def test_what_is_said_of_usernames(as_actor: Callable[..., Any], stranger: Client) -> None:
    bob = as_actor("bob")
    path = "/api/system/username-availability"
    for name, free in (
        ("bob", False), ("Bob", True), ("alice", True), ("ALL", False), ("root", False), ("ab", False),
        ("a b c", False), ("é-é-é", False), (" alice ", True),
    ):  # fmt: skip
        answer = bob.get(path, query={"username": name})
        assert (answer.status, answer.json) == (200, {"username": name.strip(), "available": free}), name
    for wrong in ({}, {"username": ""}, {"username": "x" * 256}):
        assert bob.get(path, query=wrong).code == 2001
    reserved = bob.get("/api/system/reserved-usernames").json
    assert reserved == {
        "items": ["all", "reader", "contributor", "content-manager", "space-manager", "root"]
    }  # fmt: skip
    assert stranger.get(path, query={"username": "bob"}).status == 401
    assert stranger.get("/api/system/reserved-usernames").status == 401


def test_text_that_no_database_takes(as_actor: Callable[..., Any], kernel: Kernel) -> None:
    """NUL and half characters are refused or kept, never a fault."""
    bob = as_actor("bob")
    raw = b'{"parameters": {"a": "\\ud800", "b": "x"}}'
    headers = {"content-type": "application/json"}
    for rest in ("config", "custom-properties"):
        answer = bob.request("PUT", own(bob, rest), body=raw, headers=headers)
        assert answer.status in (204, 400), answer.body
    for name in ("timezone", "lang", "public_name"):
        body = {"timezone": "", "lang": "en", "public_name": "bob", name: "a\u0000b"}
        assert bob.put(f"/api/users/{bob.user_id}", body).code == 2001
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(text("SELECT count(*) FROM accounts_user WHERE username = 'bob'")).scalar() == 1
