"""The OpenAPI 3.1 document of the enabled plugins, made from the route table on first demand."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import atrio
from atrio.kernel.config import WebsiteConfig
from atrio.kernel.errors import (
    BadPath,
    BadRequestBody,
    BodyTooLarge,
    CrossSiteRequest,
    FileRefused,
    InternalError,
    KernelError,
    PageNotFound,
    PreconditionFailed,
    ServiceUnavailable,
    TooManyRequests,
    Unauthenticated,
    ValidationFailed,
)
from atrio.kernel.host import Kernel
from atrio.kernel.http.route import PARAMETER, Answer, Route

from .shapes import VERSION, Shapes

SECURITY: list[dict[str, list[str]]] = [{"session": []}, {"basic": []}, {"apiKey": [], "apiLogin": []}]
SCHEMES = {
    "session": {
        "type": "apiKey", "in": "cookie", "name": "session_key",
        "description": "Set by signing in; a browser then sends it by itself.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "Login and password with every request."},
    "apiKey": {
        "type": "apiKey", "in": "header", "name": "Tracim-Api-Key",
        "description": "Key of the instance, together with `Tracim-Api-Login`.",
    },
    "apiLogin": {
        "type": "apiKey", "in": "header", "name": "Tracim-Api-Login",
        "description": "Login of the user for whom the key acts.",
    },
}  # fmt: skip
CONVENTIONS = """A team-collaboration server: spaces, notes, files with revisions.

- Strings of bodies and queries are stripped before their length is checked; unknown fields are ignored.
- Numbers and booleans are also taken as strings, as forms and older clients send them.
- A JSON body needs `Content-Type: application/json`; another type counts as an empty object.
- Every refusal is an `Error`. Compare its `code`, never its `message`.
- Without a signed-in user a route that needs one answers 401 before anything else is looked at; rights are
  checked before query and body.
"""
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
TEXT = {"type": "string"}
LARGEST_ID = 10**18 - 1
ERROR = {
    "type": "object",
    "description": "A refusal.",
    "required": ["code", "message", "details"],
    "properties": {
        "code": {"type": ["integer", "null"], "description": "Stable; compare this, not the message."},
        "message": {"type": "string", "minLength": 1},
        "details": {"type": "object", "description": "Names the fields of a failed validation."},
    },
}
PAGE = {
    "has_next": {"type": "boolean"},
    "has_previous": {"type": "boolean"},
    "next_page_token": {"type": "string"},
    "previous_page_token": {"type": "string"},
    "per_page": {"type": "integer", "minimum": 0},
}
FRAME = {
    "type": "object", "required": ["data"], "description": "One event of the stream.",
    "properties": {"event": TEXT, "data": TEXT, "id": TEXT},
}  # fmt: skip
ETAG = {"ETag": {"required": True, "schema": TEXT}}
LOCATION = {"Location": {"required": True, "schema": TEXT}}
RETRY = {"Retry-After": {"required": True, "description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def build(kernel: Kernel) -> dict[str, Any]:
    """Return the document: paths, shapes, errors, security."""
    routes = sorted((r for _, r in kernel.router.routes if not r.hidden), key=lambda r: (r.path, r.method))
    shapes = Shapes(routes)
    paths: dict[str, dict[str, Any]] = {}
    ids: set[str] = set()
    for route in routes:
        method = route.method.lower()
        key = method if method in METHODS else f"x-{method}"
        paths.setdefault(route.openapi_path(), {})[key] = _operation(
            route, shapes, _unique(_id(route), ids), _vetoes(kernel, route)
        )
    return {
        "openapi": VERSION,
        "info": {
            "title": kernel.config[WebsiteConfig].title,
            "version": atrio.__version__,
            "description": CONVENTIONS,
        },
        "servers": [{"url": "../..", "description": "The server this document came from."}],
        "tags": [{"name": name} for name in sorted({_tag(r) for r in routes})],
        "paths": paths,
        "components": {"schemas": {"Error": ERROR, **shapes.components()}, "securitySchemes": SCHEMES},
    }


def _vetoes(kernel: Kernel, route: Route) -> list[type[KernelError]]:
    """Return the refusals of plugins that hear what the route does."""
    return [error for event in route.emits for error in kernel.bus.vetoes_on(event)]


def _operation(route: Route, shapes: Shapes, operation_id: str, vetoes: list[type[KernelError]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [_tag(route)],
        "summary": route.summary,
        "description": _description(route),
        "operationId": operation_id,
        "parameters": [*_path(route), *_query(route, shapes), *_conditions(route)],
    }
    body = _body(route, shapes)
    if body is not None:
        operation["requestBody"] = body
    operation["responses"] = _responses(route, shapes, vetoes)
    operation["security"] = [] if route.public else SECURITY
    return operation


def _tag(route: Route) -> str:
    return route.group or "Other"


def _id(route: Route) -> str:
    """Return the name of an operation: method and path, `/api` left out."""
    plain = PARAMETER.sub(lambda m: m.group(1), route.path)
    words = [w for w in plain.split("/") if w and w != "api"]
    text = "_".join([route.method.lower(), *words])
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text)


def _unique(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _description(route: Route) -> str:
    guards = [g.name for g in route.guards if not g.public]
    needs = f"Needs: {', then '.join(guards)}." if guards else "Anyone may call it."
    return f"{inspect.cleandoc(route.handler.__doc__ or '')}\n\n{needs}".strip()


# -- what goes in ------------------------------------------------------------------------------------------


def _path(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, kind in route.parameters():
        schema: dict[str, Any] = TEXT
        if kind == "int" or name.endswith("_id"):
            schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}
        parameter: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": schema}
        if kind == "rest":
            parameter["description"] = "The rest of the path; slashes stay as they are."
        found.append(parameter)
    return found


def _query(route: Route, shapes: Shapes) -> list[dict[str, Any]]:
    return shapes.query(route.query) if route.query is not None else []


def _conditions(route: Route) -> list[dict[str, Any]]:
    """Return the conditional headers that a route heeds (RFC 9110 §13, §14)."""
    names = []
    if PreconditionFailed in route.errors:
        names.append(("If-Match", "Entity tags of the revisions that may be changed; another answers 412."))
    if any(status == 304 for status, _ in _also(route)):
        names.append(("If-None-Match", "Entity tags the caller has; 304 when one is current."))
    if route.answer.shape == "bytes":
        names.append(("Range", "One byte range; several are ignored."))
        names.append(("If-Range", "Entity tag or date for which the range counts."))
        names.append(("If-Modified-Since", "Date of what the caller has."))
    return [{"name": n, "in": "header", "required": False, "description": d, "schema": TEXT} for n, d in names]


def _body(route: Route, shapes: Shapes) -> dict[str, Any] | None:
    if route.takes == "json" and route.body is not None:
        required = any(field.required for field in route.body().fields.values())
        return {"required": required, "content": {"application/json": {"schema": shapes.body(route.body)}}}
    if route.takes == "stream" and route.media != "multipart/form-data":
        raw = {"type": "string", "format": "binary", "description": "Bytes."}
        return {"required": False, "content": {route.media: {"schema": raw}}} if route.media else None
    if route.takes == "stream":
        file = {"type": "string", "format": "binary", "description": "The file."}
        properties = {"files": file, **(shapes.form(route.form) if route.form is not None else {})}
        schema = {"type": "object", "required": ["files"], "properties": properties}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return None


# -- what comes out ----------------------------------------------------------------------------------------


def _also(route: Route) -> list[tuple[int, str]]:
    """Return the statuses beside the usual one that are no refusals."""
    found = list(route.answer.also)
    if route.answer.shape == "bytes":
        found.append((206, "A byte range."))
    conditional = route.answer.shape == "bytes" or (route.answer.etag is not None and route.method == "GET")
    if conditional:
        found.append((304, "Not modified."))
    return found


def _responses(route: Route, shapes: Shapes, vetoes: list[type[KernelError]]) -> dict[str, Any]:
    answer = route.answer
    found: dict[str, Any] = {}
    for status, text in [(answer.status, answer.doc or "Done."), *_also(route)]:
        found[str(status)] = _success(route, status, text, shapes)
    if answer.shape == "bytes":
        found["416"] = {
            "description": "The range lies outside the file.",
            "headers": {"Content-Range": {"required": True, "schema": TEXT}},
            "content": {"text/plain": {"schema": TEXT}},
        }
    for status, errors in _errors(route, vetoes).items():
        found.setdefault(str(status), _refusal(errors))
    if route.method == "GET" and _numbered(route):
        text = (
            "An id is no number, so no route has this path: once more with a slash at the end, which answers 404."
        )
        found.setdefault("307", {"description": text, "headers": LOCATION})
    return dict(sorted(found.items()))


def _success(route: Route, status: int, text: str, shapes: Shapes) -> dict[str, Any]:
    answer = route.answer
    found: dict[str, Any] = {"description": text}
    headers: dict[str, Any] = {}
    if answer.etag is not None or answer.shape == "bytes" or status == 304:
        # A change whose text was cleaned is answered without: what was stored is not what was sent.
        headers |= ETAG if route.method == "GET" else {"ETag": {"schema": TEXT}}
    if answer.shape == "redirect":
        headers |= LOCATION
    if status == 206:
        headers["Content-Range"] = {"required": True, "schema": TEXT}
    if headers:
        found["headers"] = headers
    content = None if status in (204, 304) else _content(answer, shapes)
    if content is not None:
        found["content"] = content
    return found


def _content(answer: Answer, shapes: Shapes) -> dict[str, Any] | None:
    if answer.shape == "bytes":
        return {"*/*": {"schema": {}}}
    if answer.media == "text/event-stream":
        return {answer.media: {"schema": FRAME}}
    if answer.shape == "any":
        return {answer.media: {"schema": TEXT if answer.media.startswith("text/") else {}}}
    if answer.dumper is None:
        return None
    schema: dict[str, Any] = shapes.answer(answer.dumper.schema)
    if answer.shape == "list":
        schema = {"type": "array", "items": schema}
    elif answer.shape == "page":
        properties = {"items": {"type": "array", "items": schema}, **PAGE}
        schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"application/json": {"schema": schema}}


def _refusal(errors: list[type[KernelError]]) -> dict[str, Any]:
    lines = [f"- {_code(e)} {e.__name__}: {(e.__doc__ or '').strip().splitlines()[0]}" for e in errors]
    codes = sorted({e.code for e in errors}, key=lambda code: -1 if code is None else code)
    found: dict[str, Any] = {"description": "\n".join(lines)}
    if errors[0].status in (429, 503):
        found["headers"] = RETRY
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"code": {"enum": codes}}}],
    }
    found["content"] = {"application/json": {"schema": schema}}
    return found


def _code(error: type[KernelError]) -> str:
    return "null" if error.code is None else str(error.code)


def _numbered(route: Route) -> bool:
    """Tell whether the router itself wants digits in the path."""
    return any(kind == "int" for _, kind in route.parameters())


def _errors(route: Route, vetoes: list[type[KernelError]]) -> dict[int, list[type[KernelError]]]:
    declared: list[type[KernelError]] = [BadPath, TooManyRequests, ServiceUnavailable, InternalError]
    if not route.public:
        declared.append(Unauthenticated)
    if _numbered(route):
        declared.append(PageNotFound)
    if route.query is not None or route.takes != "none" or "{" in route.path:
        declared.append(ValidationFailed)
    if route.takes != "none":
        declared += [BodyTooLarge, BadRequestBody]
    if route.takes == "stream":
        declared.append(FileRefused)
    if route.writing:
        declared.append(CrossSiteRequest)
    for guard in route.guards:
        declared += guard.errors
    declared += route.errors
    declared += vetoes
    return _grouped(dict.fromkeys(declared))


def _grouped(errors: Iterable[type[KernelError]]) -> dict[int, list[type[KernelError]]]:
    found: dict[int, list[type[KernelError]]] = {}
    for error in errors:
        found.setdefault(error.status, []).append(error)
    return dict(sorted(found.items()))
