"""The OpenAPI document: valid, complete, and true to the declarations it is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from marshmallow import fields, validate
from openapi_spec_validator import OpenAPIV31SpecValidator

from atrio.kernel.errors import KernelError
from atrio.kernel.host import Kernel, retire
from atrio.kernel.http.guards import PUBLIC, SIGNED_IN
from atrio.kernel.http.route import Answer, Route
from atrio.kernel.http.schema import CommaList, Dumper, IdList, Int, Schema, Text, Timestamp, one_of
from atrio.kernel.plugins import State, dependants
from atrio.kernel.testing.client import Client
from atrio.plugins.api_docs.openapi import build
from atrio.plugins.api_docs.shapes import Shapes


class PersonSchema(Schema):
    """Somebody."""

    name = Text(allow_none=True)
    secret = Text(load_only=True)


class ThingSchema(Schema):
    """Every kind of field, going out and coming in."""

    number = Int(required=True, validate=validate.Range(min=1, max=9))
    maybe = Int(load_default=None)
    word = Text(load_default="a", validate=one_of("a", "b"))
    label = Text(required=True, validate=validate.Length(1, 20))
    strict = fields.String(validate=validate.Regexp(r"\A[a-z]+\Z"))
    flag = fields.Boolean(load_default=True)
    moment = Timestamp(dump_only=True, allow_none=True)
    parts = CommaList(Text(validate=one_of("x", "y")))
    person = fields.Nested(PersonSchema, allow_none=True)
    people = fields.List(fields.Nested(PersonSchema))


class FilterSchema(Schema):
    """A query."""

    ids = IdList(load_default=())
    count = Int(load_default=0, validate=validate.Range(min=0, max=5))
    kind = Text(load_default=None, allow_none=True, validate=one_of("a", "b"))


class Refused(KernelError):
    """It may not be."""

    code = 987_654
    status = 403


def handler(ctx: Any, call: Any) -> None:
    """Do it."""


def _routes() -> list[Route]:
    answer = Answer(Dumper(ThingSchema))
    return [
        Route(
            "GET", "/api/things/{thing_id}", handler, (SIGNED_IN,), answer, query=FilterSchema, errors=(Refused,)
        ),
        Route("POST", "/api/things", handler, (PUBLIC,), answer, body=ThingSchema),
    ]


@pytest.fixture
def shapes() -> Shapes:
    return Shapes(_routes())


@pytest.fixture
def document(kernel: Kernel) -> dict[str, Any]:
    return build(kernel)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


# -- the whole ---------------------------------------------------------------------------------------------


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The validator of the specification has nothing to say."""
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_json_and_yaml_are_the_same(stranger: Client) -> None:
    """Both are public, and one document."""
    as_json = stranger.get("/api/doc/spec.json")
    as_yaml = stranger.get("/api/doc/spec.yml")
    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(as_yaml.body) == as_json.json
    assert b"&id" not in as_yaml.body


def test_every_route_is_there_once(kernel: Kernel, document: dict[str, Any]) -> None:
    """Route table and document name the same operations, each under an id of its own."""
    declared = {(r.method.lower(), r.openapi_path()) for _, r in kernel.router.routes if not r.hidden}
    shown = [(method, path) for method, path, _ in _operations(document)]
    assert len(shown) == len(set(shown))
    assert set(shown) == declared
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(i.isascii() and i.isidentifier() for i in ids)


def test_every_operation_says_what_it_needs(kernel: Kernel, document: dict[str, Any]) -> None:
    """Parameters, body, answer, declared errors and security follow the route."""
    for _, route in kernel.router.routes:
        if route.hidden:
            continue
        operation = document["paths"][route.openapi_path()][route.method.lower()]
        label = f"{route.method} {route.path}"
        assert operation["summary"], label
        assert operation["tags"], label
        assert operation["security"] == [] if route.public else len(operation["security"]) == 3, label
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == [name for name, _ in route.parameters()], label
        in_query = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        assert in_query == set(route.query().fields if route.query else ()), label
        assert ("requestBody" in operation) == (route.takes != "none" and route.media != ""), label
        assert str(route.answer.status) in operation["responses"], label
        for error in (*route.errors, *(e for g in route.guards for e in g.errors)):
            assert error.__name__ in operation["responses"][str(error.status)]["description"], label
        assert ("401" in operation["responses"]) == (not route.public), label


def test_a_plugin_that_is_off_is_not_shown(kernel: Kernel, stranger: Client) -> None:
    """Its paths, shapes and tags go at once, with those of its dependants; the rest stays as it was and valid."""
    before = stranger.get("/api/doc/spec.json")
    document = before.json
    record = kernel.record("core_content")
    assert record is not None
    routes = list(kernel.router.routes)
    retire(kernel, record, State.FAILED, "for the test")
    after = stranger.get("/api/doc/spec.json", headers={"if-none-match": before.headers["etag"]})
    assert after.status == 200
    less = after.json
    gone = set(document["paths"]) - set(less["paths"])
    assert "/api/workspaces/{workspace_id}/contents" in gone
    owners = {r.openapi_path(): owner for owner, r in routes}
    assert {owners[path] for path in gone} == {"core_content", *dependants(kernel.records, "core_content")} & {
        *owners.values()
    }
    assert "ContentDigest" in document["components"]["schemas"]
    assert "ContentDigest" not in less["components"]["schemas"]
    assert "Contents" in {tag["name"] for tag in document["tags"]} - {tag["name"] for tag in less["tags"]}
    for path, methods in less["paths"].items():
        assert methods == document["paths"][path]
    assert [error.message for error in OpenAPIV31SpecValidator(less).iter_errors()] == []


@pytest.mark.atrio_config(plugins__disabled=["api_docs"])
def test_the_plugin_itself_can_be_off(kernel: Kernel, stranger: Client) -> None:
    """Without it there is neither page nor document, and nothing else is missed."""
    assert stranger.get("/api/doc/").status == 404
    assert stranger.get("/health/live").status == 200
    assert not any(path.startswith("/api/doc") for path in build(kernel)["paths"])


def test_every_component_is_used(document: dict[str, Any]) -> None:
    """Nothing stands among the shapes that no operation leads to."""
    text = repr(document)
    for name in document["components"]["schemas"]:
        assert f"'#/components/schemas/{name}'" in text, name


# -- fields ------------------------------------------------------------------------------------------------


def test_answers_hold_every_field(shapes: Shapes) -> None:
    """An answer's fields are all required; what is only taken in is left out."""
    assert shapes.answer(ThingSchema) == {"$ref": "#/components/schemas/Thing"}
    found = shapes.components()
    thing = found["Thing"]
    assert thing["required"] == list(ThingSchema().fields)
    assert thing["description"] == "Every kind of field, going out and coming in."
    assert thing["properties"]["moment"] == {"type": ["string", "null"], "format": "date-time", "readOnly": True}
    assert thing["properties"]["parts"] == {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}}
    person = {"$ref": "#/components/schemas/Person"}
    assert thing["properties"]["person"] == {"anyOf": [person, {"type": "null"}]}
    assert thing["properties"]["people"] == {"type": "array", "items": person}
    assert found["Person"]["properties"] == {"name": {"type": ["string", "null"]}}
    assert found["Person"]["required"] == ["name"]


def test_bodies_hold_defaults_bounds_and_choices(shapes: Shapes) -> None:
    """A body asks for what is required, and says the rest's defaults; the same class goes out apart."""
    shapes.answer(ThingSchema)
    assert shapes.body(ThingSchema) == {"$ref": "#/components/schemas/ThingInput"}
    found = shapes.components()["ThingInput"]
    assert found["required"] == ["label", "number"]
    assert found["properties"]["number"] == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9}
    assert found["properties"]["maybe"] == {"type": ["integer", "null"], "format": "int64", "default": None}
    assert found["properties"]["word"] == {"type": "string", "enum": ["a", "b"], "default": "a"}
    assert found["properties"]["label"] == {"type": "string", "minLength": 1, "maxLength": 20}
    assert found["properties"]["strict"] == {"type": "string", "pattern": "^[a-z]+$"}
    assert found["properties"]["flag"] == {"type": "boolean", "default": True}
    assert "moment" not in found["properties"]
    assert shapes.components()["PersonInput"]["properties"]["secret"] == {"type": "string", "writeOnly": True}


def test_query_values_are_never_null(shapes: Shapes) -> None:
    """A query can leave a key out, but not say null."""
    found = {p["name"]: p for p in shapes.query(FilterSchema)}
    assert not any(p["required"] for p in found.values())
    assert found["ids"]["schema"]["type"] == "string"
    assert found["ids"]["schema"]["default"] == ""
    assert found["ids"]["description"] == "Ids, separated by commas."
    assert found["count"]["schema"] == {
        "type": "integer", "format": "int64", "minimum": 0, "maximum": 5, "default": 0,
    }  # fmt: skip
    assert found["kind"]["schema"] == {"type": "string", "enum": ["a", "b"]}


def test_names_tell_plugins_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two plugins may each have a ThingSchema; both are told by their plugins, whatever the order."""
    twin = type("ThingSchema", (Schema,), {"__doc__": "Another.", "other": Int(), "__module__": "atrio.x.schemas"})
    routes = [*_routes(), Route("GET", "/api/twins", handler, (PUBLIC,), Answer(Dumper(twin)))]
    for order in (routes, routes[::-1]):
        shapes = Shapes(order)
        own = ThingSchema.__module__.split(".")[-2]
        assert shapes.answer(twin) == {"$ref": "#/components/schemas/x.Thing"}
        assert shapes.answer(ThingSchema) == {"$ref": f"#/components/schemas/{own}.Thing"}


def test_own_fields_of_plugins(document: dict[str, Any]) -> None:
    """Addresses of accounts and the bundled lists are described by their own classes."""
    schemas = document["components"]["schemas"]
    address = schemas["Login"]["properties"]["email"]
    assert (address["minLength"], address["maxLength"]) == (3, 255)
    assert "@" in address["pattern"]
    assert address["type"] == ["string", "null"]
    assert schemas["ContentDigest"]["properties"]["sub_content_types"]["items"] == {"type": "string"}
    assert schemas["ContentDigest"]["properties"]["created"] == {"type": "string", "format": "date-time"}
    assert schemas["ContentDigest"]["properties"]["parent_id"]["type"] == ["integer", "null"]


# -- parts of operations -----------------------------------------------------------------------------------


def test_refusals_list_their_codes(document: dict[str, Any]) -> None:
    """A status names exactly the codes that it may carry on this route."""
    responses = document["paths"]["/api/workspaces/{workspace_id}/files/{content_id}"]["put"]["responses"]

    def codes(status: str) -> list[int | None]:
        schema = responses[status]["content"]["application/json"]["schema"]
        return list(schema["allOf"][1]["properties"]["code"]["enum"])

    assert codes("401") == [None]
    assert codes("412") == [20001]
    assert {1002, 1003, 2001, 2022, 2023, 2031, 2041, 2044, 3002} <= set(codes("400"))
    assert responses["429"]["headers"]["Retry-After"]["required"] is True


def test_conditions_and_ranges(document: dict[str, Any]) -> None:
    """Conditional headers stand where they count, with the statuses they lead to."""
    base = "/api/workspaces/{workspace_id}/files/{content_id}"
    file, raw = document["paths"][base], document["paths"][f"{base}/raw/{{filename}}"]

    def headers(operation: dict[str, Any]) -> set[str]:
        return {p["name"] for p in operation["parameters"] if p["in"] == "header"}

    assert headers(file["get"]) == {"If-None-Match"}
    assert headers(file["put"]) == {"If-Match"}
    assert headers(raw["get"]) == {"If-None-Match", "Range", "If-Range", "If-Modified-Since"}
    assert {"200", "206", "304", "416"} <= set(raw["get"]["responses"])
    assert "content" not in file["get"]["responses"]["304"]
    assert file["get"]["responses"]["200"]["headers"]["ETag"]["required"] is True
    form = raw["put"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["files"]["format"] == "binary"
    assert form["required"] == ["files"]


def test_methods_beyond_openapi_are_extensions(
    kernel: Kernel, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin's REPORT route does not break the document for everybody."""
    strange = Route("REPORT", "/api/strange", handler, (PUBLIC,), Answer(shape="empty", status=204))
    monkeypatch.setattr(kernel.router, "routes", [*kernel.router.routes, ("x", strange)])
    more = build(kernel)
    assert set(more["paths"]["/api/strange"]) == {"x-report"}
    assert [error.message for error in OpenAPIV31SpecValidator(more).iter_errors()] == []


def test_a_real_answer_has_the_documented_shape(
    document: dict[str, Any], client: Client, make_space: Callable[..., int], make_content: Callable[..., Any]
) -> None:
    """What goes over the wire has the documented fields in the documented order."""
    note = make_content(make_space(), "Note")
    assert list(note) == document["components"]["schemas"]["ContentDigest"]["required"]
