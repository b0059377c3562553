"""Every route of the contract: it is there, takes what is listed, refuses the rest, answers exactly the shape."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from atrio.kernel.host import Kernel

from . import facts, table
from .recipes import RECIPES, asker_of, fresh, recipe_for
from .stage import EVERYTHING, Stage

pytestmark = [EVERYTHING, pytest.mark.timeout(300)]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _declared(kernel: Kernel) -> dict[tuple[str, str], tuple[str, Any]]:
    return {facts.key(r.method, r.openapi_path()): (owner, r) for owner, r in kernel.router.routes}


# -- which routes there are --------------------------------------------------------------------------------


def test_every_route_is_there_and_belongs_to_its_plugin(kernel: Kernel) -> None:
    declared = _declared(kernel)
    wrong = {}
    for route in facts.now():
        owner = declared.get(facts.key(route["method"], route["path"]), ("nobody",))[0]
        if owner != route["plugin"]:
            wrong[facts.label(route)] = (owner, route["plugin"])
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())


def test_every_route_has_a_recipe_and_every_recipe_a_route(kernel: Kernel) -> None:
    declared = {
        key for key, (owner, route) in _declared(kernel).items()
        if owner not in ("kernel", "api_docs", "web", "resumable", "zip_download") and not route.hidden
    }  # fmt: skip
    recipes = {facts.key(*key) for key in RECIPES}
    assert declared - recipes == set()
    assert recipes - declared == set()
    assert {facts.key(r["method"], r["path"]) for r in facts.now()} - recipes == set()


def test_what_comes_later_says_why(kernel: Kernel) -> None:
    reasons = {r["later"] for r in facts.routes() if "later" in r}
    assert len(facts.routes()) == 235
    assert reasons == {
        "translation", "DAV: plugin caldav",
        "collaborative edition", "SAML", "documentation page of our own", "front end: plugin web", "kernel",
        "accounts: /api/users/me/{rest}",
    }  # fmt: skip


def test_the_page_of_the_docs_is_fresh() -> None:
    assert table.PAGE.read_text("utf-8") == table.markdown(), "type: make docs"


def test_translations_are_unknown_routes(stage: Stage) -> None:
    for route in facts.routes():
        if route.get("later") == "translation":
            path = re.sub(r"\{[^}]*\}", "1", route["path"])
            answer = stage.root.get(path + "/")
            assert (answer.status, answer.code) == (404, 9999)


# -- answers -----------------------------------------------------------------------------------------------


def fits(value: Any, field: dict[str, Any], where: str) -> None:
    """Assert that a value is what a field says."""
    if value is None:
        nobody = where.endswith(("username", "public_name", "user_id", "is_active")) and "assignee" in where
        assert field.get("null") or nobody or field["kind"] in ("shape", "any"), f"{where} is null"
        return
    kind = field["kind"]
    if kind == "shape":
        fits_shape(value, field["of"], where)
    elif kind in ("list", "comma list"):
        assert isinstance(value, list), where
        for i, item in enumerate(value):
            fits(item, field["of"], f"{where}[{i}]")
    elif kind == "moment":
        assert MOMENT.fullmatch(value), where
    else:
        kinds = {"int": int, "bool": bool, "object": dict, "primitives": dict, "number": (int, float)}
        assert isinstance(value, kinds.get(kind, str)), (where, value)
        assert kind != "int" or not isinstance(value, bool), where


def fits_shape(value: Any, name: str, where: str = "$") -> None:
    """Assert that an object has exactly the fields of a shape."""
    shape = {k: f for k, f in facts.shape(name).items() if f.get("direction") != "in"}
    assert isinstance(value, dict), where
    must = {k for k, f in shape.items() if not f.get("sometimes")}
    assert must - set(value) == set(), f"{where}: missing"
    assert set(value) - set(shape) == set(), f"{where}: too much"
    for key, item in value.items():
        fits(item, shape[key], f"{where}.{key}")


def test_every_answer_has_exactly_its_fields(stage: Stage) -> None:
    wrong: dict[str, Any] = {}
    empty: list[str] = []
    for route in facts.now():
        recipe = recipe_for(route)
        answer = stage.ask(asker_of(route), route["method"], route["path"], recipe)
        try:
            expected = recipe.status or route["status"]
            assert answer.status == expected, (answer.status, answer.body[:300])
            shape = route["answer"]
            if shape is None:
                assert answer.status in (302, 307) or answer.body == b""
            elif shape == "bytes":
                assert answer.body
            elif isinstance(shape, list):
                assert isinstance(answer.json, list)
                for item in answer.json:
                    fits_shape(item, shape[0])
                if not answer.json:
                    empty.append(facts.label(route))
            else:
                fits_shape(answer.json, shape)
                if answer.json.get("items") == []:
                    empty.append(facts.label(route))
        except AssertionError as error:
            wrong[facts.label(route)] = str(error)[:400]
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())
    assert empty == ["GET /api/system/usage_conditions"], "an empty list shows nothing"


# -- what is refused ---------------------------------------------------------------------------------------

BEFORE_THE_SCHEMA = {
    # a guard reads these keys, and answers with codes of its own
    ("POST", "/api/workspaces/{workspace_id}/contents", "content_type"): {1006, 2014},
    ("PUT", "/api/workspaces/{workspace_id}/contents/{content_id}/move", "new_workspace_id"): {2012, 2022, 1002},
    # the rule of the field speaks before its type: an upload has no schema for it
    ("POST", "/api/workspaces/{workspace_id}/files", "content_type"): {1006, 2001},
    ("PUT", "/api/workspaces/{workspace_id}/threads/{content_id}/namespace", "content_namespace"): {2001, 2060},
}
TAKEN = {
    # wider than the contract, on purpose: see docs/contract.md
    ("GET", "/api/search/content", "content_types"),
    ("GET", "/api/system/username-availability", "username"),
    # null is the same as not given
    ("POST", "/api/users", "public_name"),
    ("POST", "/api/users/register", "public_name"),
}


def _parts(route: dict[str, Any]) -> list[tuple[str, str]]:
    return [(part, route[part]) for part in ("query", "body", "form") if part in route]


def test_each_wrong_value_is_refused(stage: Stage) -> None:
    """One field of a request that works is given a value that the contract forbids, field by field."""
    wrong: dict[str, Any] = {}
    sent = 0
    for route in facts.now():
        recipe, asker = recipe_for(route), asker_of(route)
        for part, name in _parts(route):
            place = {"query": "query", "body": "json_body", "form": "fields"}[part]
            base = stage.request(recipe)
            path = stage.path(route["path"], recipe)
            for key, field in facts.shape(name).items():
                where = (route["method"], route["path"], key)
                for value in facts.wrong_values(field, in_text=part != "body"):
                    if where in TAKEN:
                        continue
                    request = copy.deepcopy(base)
                    request.setdefault(place, {})[key] = value
                    answer = stage.people[asker].request(route["method"], path, **request)
                    sent += 1
                    allowed = BEFORE_THE_SCHEMA.get(where, set()) | {2001}
                    if answer.status != 400 or answer.code not in allowed:
                        wrong[f"{facts.label(route)} {part} {key}={value!r}"[:200]] = (
                            answer.status,
                            answer.body[:120],
                        )
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())
    assert sent > 500


def test_each_required_value_is_asked_for(stage: Stage) -> None:
    wrong: dict[str, Any] = {}
    for route in facts.now():
        recipe, asker = recipe_for(route), asker_of(route)
        for part, name in _parts(route):
            place = {"query": "query", "body": "json_body", "form": "fields"}[part]
            path = stage.path(route["path"], recipe)
            for key, field in facts.shape(name).items():
                if not field.get("must"):
                    continue
                request = copy.deepcopy(stage.request(recipe))
                request[place].pop(key, None)
                answer = stage.people[asker].request(route["method"], path, **request)
                allowed = BEFORE_THE_SCHEMA.get((route["method"], route["path"], key), set()) | {2001}
                if answer.status != 400 or answer.code not in allowed:
                    wrong[f"{facts.label(route)} {part} without {key}"] = (answer.status, answer.body[:120])
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())


def test_null_is_taken_where_it_may_be(stage: Stage) -> None:
    wrong: dict[str, Any] = {}
    for route in facts.now():
        recipe, asker = recipe_for(route), asker_of(route)
        if "body" not in route:
            continue
        for key, field in facts.shape(route["body"]).items():
            if not field.get("null"):
                continue
            request = copy.deepcopy(stage.request(recipe))
            if key in ("email", "user_id", "user_email") and request["json_body"].get(key) is not None:
                continue  # what the request lives on
            request["json_body"][key] = None
            path = stage.path(route["path"], recipe)
            answer = stage.people[asker].request(route["method"], path, **request)
            if answer.status not in (200, 201, 204):
                wrong[f"{facts.label(route)} {key}=null"] = (answer.status, answer.body[:120])
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())


# -- errors ------------------------------------------------------------------------------------------------

NOT_ANSWERED = {
    # code: why a route that lists it never answers it
    2002: "the schema answers 2001 first",
    2070: "one letter is enough for contents",
    2067: "to-dos: the one who has to do it need not be a member",
    1027: "1003 is what clients see",
}


NOT_HERE = {
    # route: codes it lists and does not answer, and why
    "/avatar/": ({1012, 1013, 1021, 2033}, "a picture has one page, every size is made, an avatar always exists"),
    "/cover/": ({1012, 1013, 2033}, "a picture has one page and every size is made"),
    "PUT /api/workspaces/{workspace_id}": ({2068}, "the access type is ignored, as clients know it"),
    "/move": ({2072}, "a move goes into the tree, never to the news"),
}


def _not_here(label: str) -> set[int]:
    return set().union(*(codes for part, (codes, _) in NOT_HERE.items() if part in label or part == label))


def test_every_listed_error_is_declared(kernel: Kernel) -> None:
    """What a route of the contract may answer is in the API document of ours."""
    import json

    from atrio.kernel.testing.client import Client

    document = json.loads(Client(kernel.app).get("/api/doc/spec.json").body)
    missing: dict[str, Any] = {}
    declared = _declared(kernel)
    for route in facts.now():
        _, ours = declared[facts.key(route["method"], route["path"])]
        responses = document["paths"][ours.openapi_path()][route["method"].lower()]["responses"]
        for status, codes in route.get("errors", {}).items():
            said = set(map(int, re.findall(r"\b\d{4}\b", json.dumps(responses.get(status, {})))))
            lost = {c for c in codes if c not in said and c not in NOT_ANSWERED} - _not_here(facts.label(route))
            if lost:
                missing[facts.label(route)] = (status, sorted(lost))
    assert not missing, "\n".join(f"{k}: {v}" for k, v in missing.items())


def test_fresh_names_are_fresh() -> None:
    assert fresh() != fresh()
