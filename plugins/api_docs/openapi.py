"""The OpenAPI 3.1 document of the enabled plugins, made from the route table on first demand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

import atrio
from atrio.kernel.config import WebsiteConfig, base_url
from atrio.kernel.errors import (
    BadPath,
    BadRequestBody,
    BodyTooLarge,
    CrossSiteRequest,
    InternalError,
    KernelError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    ValidationFailed,
)
from atrio.kernel.host import Kernel
from atrio.kernel.http.route import Route
from atrio.kernel.http.schema import CommaList, IdList, Schema, Timestamp

SECURITY: list[dict[str, list[str]]] = [{"session": []}, {"basic": []}, {"apiKey": [], "apiLogin": []}]


def build(kernel: Kernel) -> dict[str, Any]:
    """Return the document: paths, schemas, errors, security."""
    marshmallow_plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        title=kernel.config[WebsiteConfig].title, version=atrio.__version__, openapi_version="3.1.0",
        plugins=[marshmallow_plugin],
        info={"description": "A team-collaboration server: spaces, notes, files with revisions."},
        servers=[{"url": base_url(kernel.config)}],
    )  # fmt: skip
    converter: Any = marshmallow_plugin.converter
    converter.add_attribute_function(_own_fields)
    _components(spec)
    for _, route in sorted(kernel.router.routes, key=lambda pair: (pair[1].path, pair[1].method)):
        if not route.hidden:
            spec.path(path=route.openapi_path(), operations={route.method.lower(): _operation(route, converter)})
    return dict(spec.to_dict())


def _schema_name(schema: Any) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__).removesuffix("Schema")


def _own_fields(self: Any, field: fields.Field[Any], **kwargs: Any) -> dict[str, Any]:
    """Describe the kernel's own fields."""
    if isinstance(field, Timestamp):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, IdList):
        return {"type": "string", "pattern": r"^(\d+(,\d+)*)?$"}
    if isinstance(field, CommaList):
        return {"type": "array"}
    if type(field).__name__ in ("Email", "NamedEmail"):
        return {"type": "string"}
    return {}


def _components(spec: APISpec) -> None:
    spec.components.schema(
        "Error",
        {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {
                    "type": ["integer", "null"],
                    "description": "Stable; compare this, not the message.",
                },
                "message": {"type": "string"},
                "details": {"type": "object"},
            },
        },
    )
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "session_key"})
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    spec.components.security_scheme("apiKey", {"type": "apiKey", "in": "header", "name": "Tracim-Api-Key"})
    spec.components.security_scheme("apiLogin", {"type": "apiKey", "in": "header", "name": "Tracim-Api-Login"})


def _operation(route: Route, converter: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _operation_id(route),
        "tags": [route.group or "Other"],
        "description": _rights(route),
        "parameters": _parameters(route, converter),
        "responses": _responses(route),
    }
    body = _body(route, converter)
    if body is not None:
        operation["requestBody"] = body
    operation["security"] = [] if route.public else SECURITY
    return operation


def _operation_id(route: Route) -> str:
    words = [w.strip("{}").partition(":")[0] for w in route.path.split("/") if w and w != "api"]
    return "_".join([route.method.lower(), *words]).replace("-", "_").replace(".", "_")


def _rights(route: Route) -> str:
    names = [g.name for g in route.guards]
    text = "Anyone." if route.public else f"Needs: {', then '.join(names)}."
    doc = (route.handler.__doc__ or "").strip().split("\n")[0]
    return f"{doc}\n\n{text}"


def _parameters(route: Route, converter: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, kind in route.parameters():
        schema: dict[str, Any] = {"type": "string"}
        if kind == "int" or name.endswith("_id"):
            schema = {"type": "integer", "minimum": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if route.query is not None:
        found += _query(converter, route.query)
    return found


def _query(converter: Any, schema: type[Schema]) -> list[dict[str, Any]]:
    """Return the query parameters of a schema."""
    parameters: list[dict[str, Any]] = converter.schema2parameters(schema(), location="query")
    return parameters


def _body(route: Route, converter: Any) -> dict[str, Any] | None:
    if route.takes == "json" and route.body is not None:
        return {"required": True, "content": {"application/json": {"schema": _input(route.body)}}}
    if route.takes == "stream":
        properties: dict[str, Any] = {"files": {"type": "string", "format": "binary"}}
        if route.form is not None:
            shape = converter.schema2jsonschema(route.form())
            properties |= shape.get("properties", {})
        schema = {"type": "object", "required": ["files"], "properties": properties}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return None


def _input(schema: type[Schema]) -> type[Schema]:
    return schema


def _responses(route: Route) -> dict[str, Any]:
    answer = route.answer
    status = str(answer.status)
    found: dict[str, Any] = {status: {"description": answer.doc or "Done."}}
    if answer.shape == "bytes":
        found["200"]["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
        found["206"] = {"description": "A byte range."}
        found["304"] = {"description": "Not modified."}
        found["416"] = {"description": "The range lies outside the file."}
    elif answer.shape == "any":
        found[status]["content"] = {answer.media: {"schema": {}}}
    elif answer.dumper is not None:
        found[status]["content"] = {"application/json": {"schema": _answer_schema(answer)}}
    if answer.etag is not None and route.method == "GET":
        found["304"] = {"description": "Not modified."}
    for code, errors in _errors(route).items():
        lines = [f"- {_code(e)} {e.__name__}: {(e.__doc__ or '').strip().split(chr(10))[0]}" for e in errors]
        found[str(code)] = {
            "description": "\n".join(lines),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    return found


def _code(error: type[KernelError]) -> str:
    return "null" if error.code is None else str(error.code)


def _answer_schema(answer: Any) -> dict[str, Any]:
    schema = answer.dumper.schema
    if answer.shape == "list":
        return {"type": "array", "items": schema}
    if answer.shape == "page":
        return {
            "type": "object",
            "required": [
                "items", "has_next", "has_previous", "next_page_token", "previous_page_token", "per_page"
            ],
            "properties": {
                "items": {"type": "array", "items": schema},
                "has_next": {"type": "boolean"},
                "has_previous": {"type": "boolean"},
                "next_page_token": {"type": "string"},
                "previous_page_token": {"type": "string"},
                "per_page": {"type": "integer"},
            },
        }  # fmt: skip
    return schema  # type: ignore[no-any-return]


def _errors(route: Route) -> dict[int, list[type[KernelError]]]:
    declared: list[type[KernelError]] = [BadPath, TooManyRequests, ServiceUnavailable, InternalError]
    if not route.public:
        declared.append(Unauthenticated)
    if route.query is not None or route.takes != "none" or "{" in route.path:
        declared.append(ValidationFailed)
    if route.takes != "none":
        declared += [BodyTooLarge, BadRequestBody]
    if route.writing:
        declared.append(CrossSiteRequest)
    for guard in route.guards:
        declared += guard.errors
    declared += route.errors
    return _grouped(dict.fromkeys(declared))


def _grouped(errors: Iterable[type[KernelError]]) -> dict[int, list[type[KernelError]]]:
    found: dict[int, list[type[KernelError]]] = {}
    for error in errors:
        found.setdefault(error.status, []).append(error)
    return dict(sorted(found.items()))
