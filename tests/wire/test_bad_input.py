"""What the wire answers to input that is wrong: never a 500, always the code of the sheet."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.contract import facts
from tests.contract.recipes import asker_of, recipe_for
from tests.contract.stage import EVERYTHING, Stage
from tests.wire.walk import Walk

SPACE = {"label": "A", "description": "", "access_type": "open", "default_user_role": "reader"}
LONG = "x" * 1025


def fill(world: Any, path: str) -> str:
    names = {k: v for k, v in vars(world).items() if k not in ("ids", "people", "path")}
    return path.format(w=world.path(), **{k: v for k, v in world.ids.items() if k.isidentifier()}, **names)


def refused(answer: Any, *fields: str) -> None:
    """Assert the answer of a schema failure that names these fields."""
    assert (answer.status, answer.code) == (400, 2001), answer.body
    assert answer.json["message"] == "Validation error of input data"
    details = answer.json["details"]
    assert details, answer.body
    for field in fields:
        assert field in details, answer.body
    assert all(isinstance(v, list | dict) and v for v in details.values())


NO_OBJECTS = (
    b"{", b"[]", b'["a"]', b"5", b'"x"', b"null", b"\xff", b'{"a":"\\ud800"}', b"[" * 10_000, b"{}x",
)  # fmt: skip
HUGE, LONG_TEXT = 10**30, "x" * 100_000
JSON = {"content-type": "application/json"}


def deep(levels: int) -> Any:
    """Return lists in lists."""
    made: Any = "x"
    for _ in range(levels):
        made = [made]
    return made


def wrong_shape(answer: Any, *, refused: bool = False) -> str | None:
    """Say what is wrong with an answer to bad input: a fault, or an error that is none of ours."""
    if answer.status >= 500 or answer.status == 0:
        return f"fault {answer.status} {answer.body[:200]!r}"
    if answer.status < 400:
        return f"taken: {answer.status}" if refused else None
    error = answer.json
    fine = set(error) == {"code", "message", "details"} and isinstance(error["details"], dict) and error["message"]
    return None if fine and isinstance(error["code"], int | None) else f"shape {answer.body[:200]!r}"


@EVERYTHING
def test_bodies_that_are_no_object(stage: Stage) -> None:
    wrong = []
    for route in facts.now():
        if "body" not in route or not any(f.get("must") for f in facts.shape(route["body"]).values()):
            continue
        path = stage.path(route["path"], recipe_for(route))
        for body in NO_OBJECTS:
            answer = stage.people[asker_of(route)].request(route["method"], path, body=body, headers=JSON)
            # Some guards ask for a key of the body before the schema runs, and find none.
            if answer.status != 400 or answer.code not in (2001, 2012, 2014) or wrong_shape(answer):
                wrong.append((facts.label(route), body[:20], answer.status, answer.body[:120]))
    assert not wrong, "\n".join(map(str, wrong))


@EVERYTHING
@pytest.mark.timeout(300)
def test_hostile_values_in_every_field(walk: Walk) -> None:
    """NUL and half characters are refused; what is too long, too large or too deep is never a fault."""
    wrong, sent = [], 0
    for route in facts.now():
        walk.mend()
        recipe, person = recipe_for(route), walk.people[asker_of(route)]
        for part, place in (("query", "query"), ("body", "json_body"), ("form", "fields")):
            if part not in route:
                continue
            path = walk.path(route["path"], recipe)
            base = walk.request(recipe)
            for key, field in facts.shape(route[part]).items():
                if field.get("direction") == "out":
                    continue
                text = field["kind"] in TEXTS and part == "body"
                for value in ("a\x00b", "a\ud800b", LONG_TEXT, HUGE, -HUGE, deep(50), "9" * 5000, "1" * 30):
                    if part != "body" and not isinstance(value, str):
                        value = str(value)
                    if part != "body" and value == "a\ud800b":
                        continue  # cannot be written there; the bytes for it are refused in test_hostile_input
                    given = {**base, place: {**base.get(place, {}), key: value}}
                    if place == "json_body":
                        given = {"body": json.dumps(given["json_body"]).encode(), "headers": JSON}
                    answer = person.request(route["method"], path, **given)
                    sent += 1
                    refused = text and value in ("a\x00b", "a\ud800b")
                    said = wrong_shape(answer, refused=refused)
                    if said:
                        wrong.append((facts.label(route), part, key, str(value)[:20], said))
        walk.forget()
    assert not wrong, "\n".join(map(str, wrong))
    assert sent > 1000


SEARCHED = {("GET /api/users/{user_id}/todos", "user_id")}
"""Where an id only narrows a search: nobody has it, nothing is found."""
TEXTS = ("text", "email", "named email", "url")


@EVERYTHING
@pytest.mark.timeout(300)
def test_ids_that_nothing_has(stage: Stage) -> None:
    """0, negative and endless ids in each place of each path: an error with a code, and never a success."""
    wrong, sent = [], 0
    for route in facts.now():
        recipe, person = recipe_for(route), stage.people[asker_of(route)]
        for name in re.findall(r"\{([a-z_0-9]+)\}", route["path"]):
            if not name.endswith("_id"):
                continue
            for value in ("0", "-1", str(HUGE), str(2**63), "00", "+1", "1e3", "%00"):
                path = stage.path(route["path"], replace(recipe, names={**recipe.names, name: value}))
                answer = person.request(route["method"], path, **stage.request(recipe))
                sent += 1
                if answer.status == 307:  # no route takes it: the answer is that of an unknown path
                    answer = person.get(answer.headers["location"])
                said = wrong_shape(answer, refused=True)
                if said and (facts.label(route), name) not in SEARCHED:
                    wrong.append((facts.label(route), name, value, said))
    assert not wrong, "\n".join(map(str, wrong))
    assert sent > 1000


def test_an_empty_body_is_an_empty_object(world: Any, client: Any) -> None:
    refused(client.post("/api/workspaces"), "label", "description", "access_type", "default_user_role")
    refused(client.request("POST", "/api/workspaces", body=b"label=a"), "label")
    answer = client.request("PUT", world.path(f"/html-documents/{world.note}"))
    assert (answer.status, answer.code) == (400, 2041)


def test_unknown_fields_are_ignored_and_strings_stripped(world: Any, client: Any) -> None:
    answer = client.post("/api/workspaces", SPACE | {"owner_id": 99, "is_deleted": True, "label": "  A  "})
    assert (answer.json["label"], answer.json["is_deleted"], answer.json["owner"]["user_id"]) == ("A", False, 1)
    body = {"label": "x", "content_type": "html-document", "author_id": 9, "status": "closed-validated"}
    made = client.post(world.path("/contents"), body).json
    assert (made["status"], made["author"]["user_id"]) == ("open", 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": "   "}, "label"), ({"label": LONG}, "label"), ({"access_type": "secret"}, "access_type"),
        ({"default_user_role": "owner"}, "default_user_role"), ({"parent_id": -1}, "parent_id"),
        ({"parent_id": "x"}, "parent_id"), ({"parent_id": 2**63}, "parent_id"),
        ({"agenda_enabled": "perhaps"}, "agenda_enabled"), ({"description": None}, "description"),
    ],
)  # fmt: skip
def test_a_space(client: Any, change: dict[str, Any], field: str) -> None:
    refused(client.post("/api/workspaces", SPACE | change), field)


def test_numbers_and_booleans_as_clients_send_them(client: Any) -> None:
    parent = client.post("/api/workspaces", SPACE).json["workspace_id"]
    got = client.post("/api/workspaces", SPACE | {"parent_id": str(parent), "agenda_enabled": "false"}).json
    assert (got["parent_id"], got["agenda_enabled"]) == (parent, False)
    assert client.post("/api/workspaces", SPACE | {"parent_id": 0}).json["parent_id"] is None
    unknown = client.post("/api/workspaces", SPACE | {"parent_id": 999})
    assert (unknown.status, unknown.code) == (400, 1002)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "_schema"), ({"email": "x"}, "email"), ({"email": "a@b", "password": "short"}, "password"),
        ({"email": "a@b", "password": "x" * 513}, "password"), ({"email": "a,b@c"}, "email"),
        ({"email": "a@" + "b" * 255}, "email"), ({"username": "ab"}, "username"),
        ({"email": "a@b", "username": "a b"}, "username"), ({"email": "a@b", "username": "é" * 5}, "username"),
        ({"email": "a@b", "username": "abc\n"}, "username"), ({"email": "a@b", "profile": "nobody"}, "profile"),
        ({"email": "a@b", "public_name": "ab"}, "public_name"), ({"email": "a@b", "lang": "x"}, "lang"),
        ({"email": "a@b", "timezone": "x" * 33}, "timezone"), ({"email": "a@b", "allowed_space": -1}, "allowed_space"),
        ({"email": "a@b", "public_name": "x" * 256}, "public_name"), ({"email": "N" * 300 + " <a@b.c>"}, "email"),
    ],
)  # fmt: skip
def test_a_user(client: Any, body: dict[str, Any], field: str) -> None:
    refused(client.post("/api/users", body), field)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"email": "ADMIN@admin.admin"}, 2036), ({"email": "x@y", "username": "taken"}, 2063),
        ({"email": "x@y", "username": "All"}, 2066), ({"email": "x@y", "username": "content-manager"}, 2066),
        ({"username": "lonely"}, 2065),
    ],
)  # fmt: skip
def test_a_user_that_cannot_be(client: Any, as_actor: Any, body: dict[str, Any], code: int) -> None:
    as_actor("taken")
    answer = client.post("/api/users", body)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content_type": "nonsense", "label": "a"}, 1006), ({"content_type": 5, "label": "a"}, 1006),
        ({"content_type": ["folder"], "label": "a"}, 1006), ({"label": "a"}, 2014), ({}, 2014),
        ({"content_type": None, "label": "a"}, 2014), ({"content_type": "folder"}, 2001),
        ({"content_type": "comment", "label": "a"}, 2001), ({"content_type": "todo", "label": "a"}, 2001),
        ({"content_type": "folder", "label": " "}, 2001), ({"content_type": "folder", "label": LONG}, 2001),
        ({"content_type": "folder", "label": ".."}, 2001), ({"content_type": "folder", "label": "a", "parent_id": 0}, 2001),
        ({"content_type": "folder", "label": "a", "parent_id": 9999}, 1004),
        ({"content_type": "folder", "label": "a", "content_namespace": "x"}, 2001),
    ],
)  # fmt: skip
def test_a_content(world: Any, client: Any, body: dict[str, Any], code: int) -> None:
    answer = client.post(world.path("/contents"), body)
    assert (answer.status, answer.code) == (400, code), answer.body


@pytest.mark.parametrize(
    "query",
    [
        "parent_ids=a", "parent_ids=-1", "parent_ids=" + ",".join(map(str, range(600))), "namespaces_filter=x",
        "content_type=page", "content_type=x", "show_deleted=2", "show_active=x", "sort=label", "sort=size:asc",
        "count=-1", "count=x", "count=100001", "page_token=x", "complete_path_to_id=0", "label=%00", "label=%FF",
        f"label={LONG}", "sort=modified:asc&page_token=" + "WyI-IiwiYSIsMV0=", "&".join(f"a{i}=1" for i in range(600)),
    ],
)  # fmt: skip
def test_a_query(world: Any, client: Any, query: str) -> None:
    refused(client.get(world.path(f"/contents?{query}")))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/workspaces/abc", 2022), ("/api/workspaces/", 2022), ("/api/workspaces/-1", 2022), ("/api/workspaces/1.5", 2022),
        ("/api/workspaces/%D9%A3", 2022), ("/api/workspaces/0", 1002), ("/api/workspaces/999", 1002),
        ("/api/workspaces/99999999999999999999", 1002), ("{w}/html-documents/abc", 2023), ("{w}/html-documents/", 2023),
        ("{w}/html-documents/0", 1003), ("{w}/html-documents/99999999999999999999", 1003),
        ("{w}/html-documents/{folder}", 2031), ("{w}/files/{note}", 2031), ("{w}/folders/{file}", 2031),
        ("{w}/html-documents/{note}/revisions/abc", 2001), ("{w}/html-documents/{note}/revisions/999", 1003),
        ("{w}/html-documents/{note}/revisions/{revision}", None), ("{w}/files/{file}/revisions/{note_revision}/raw/x", None),
        ("{w}/members/{user}", 1005), ("{w}/members/999999", 1005), ("/api/users/999999", 1001),
    ],
)  # fmt: skip
def test_a_path(world: Any, client: Any, path: str, code: int | None) -> None:
    answer = client.get(fill(world, path))
    assert (answer.status, answer.code) == (400, code), answer.body
    assert answer.json["details"]


def test_a_text_of_a_user_id_is_no_route(client: Any) -> None:
    assert client.get("/api/users/abc").status == 307
    assert client.get("/api/users/abc/").code == 9999


# -- order of the checks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"label": 5}'])
def test_who_comes_before_what(world: Any, body: bytes) -> None:
    """401, then the rights of the path, then the schema (spec: errors, §3)."""
    json_type = {"content-type": "application/json"}
    people = world.people
    note = world.path(f"/html-documents/{world.note}")

    def ask(who: str, path: str) -> tuple[int, Any]:
        answer = people[who].request("PUT", path, body=body, headers=json_type)
        return answer.status, answer.json["code"]

    assert ask("stranger", note) == (401, None)
    assert ask("user", note) == (400, 1002)
    assert ask("reader", note) == (403, 4003)
    assert ask("reader", world.path("/html-documents/abc")) == (403, 4003)
    assert ask("contributor", world.path("/html-documents/abc")) == (400, 2023)
    assert ask("contributor", world.path(f"/html-documents/{world.file}")) == (400, 2031)
    assert ask("contributor", note)[1] in (2001, 2041)
    assert ask("stranger", "/api/workspaces/abc/html-documents/abc") == (401, None)
    assert ask("reader", "/api/workspaces/abc/html-documents/abc") == (400, 2022)


def test_the_rights_come_before_the_query(world: Any) -> None:
    path = world.path("/contents?count=x")
    assert world.people["user"].get(path).code == 1002
    assert world.people["root"].get(path).code == 4003
    assert world.people["reader"].get(path).code == 2001


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client: Any) -> None:
    answer = client.request(
        "POST", "/api/workspaces", body=b"{}", announce=10**12, headers={"content-type": "application/json"}
    )
    assert (answer.status, answer.code) == (413, 20002)


@pytest.mark.atrio_config(server__json_limit=1024)
def test_a_body_that_grows_beyond_the_limit(client: Any) -> None:
    answer = client.request(
        "POST", "/api/workspaces", body=b"x" * 200_000, announce=10, headers={"content-type": "application/json"}
    )
    assert (answer.status, answer.code) == (413, 20002)


def test_refusals_say_their_name_and_nothing_more(world: Any) -> None:
    answer = world.people["reader"].get("/api/users")
    assert answer.json == {"code": 4002, "message": "InsufficientUserProfile", "details": {"error_detail": {}}}
    answer = world.people["stranger"].get("/api/users")
    assert answer.json == {"code": None, "message": "User not found", "details": {"error_detail": {}}}
    assert "www-authenticate" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
