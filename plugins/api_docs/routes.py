"""Routes of api_docs."""

from __future__ import annotations

from importlib import resources

import msgspec

from atrio.kernel.context import Context
from atrio.kernel.errors import PageNotFound
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route

from .openapi import build

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}


def spec_json(ctx: Context, call: Call) -> Response:
    """Return the OpenAPI document as JSON."""
    document = ctx.kernel.memo("api_docs.spec", lambda: build(ctx.kernel))
    body = ctx.kernel.memo("api_docs.json", lambda: msgspec.json.encode(document))
    return Response(200, body, [], "application/json")


def spec_yaml(ctx: Context, call: Call) -> Response:
    """Return the OpenAPI document as YAML."""

    def dump() -> bytes:
        import yaml

        document = ctx.kernel.memo("api_docs.spec", lambda: build(ctx.kernel))
        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
        return text.encode()

    return Response(200, ctx.kernel.memo("api_docs.yaml", dump), [], "application/x-yaml")


def page(ctx: Context, call: Call) -> Response:
    """Return the documentation page; everything it loads comes from this server."""
    return _file("index.html")


def static(ctx: Context, call: Call) -> Response:
    """Return a script or style of the page."""
    return _file(call.path["name"])


def _file(name: str) -> Response:
    path = resources.files(__package__).joinpath("static")
    known = {entry.name: entry for entry in path.iterdir()}
    if name not in known:
        raise PageNotFound
    media = TYPES.get(f".{name.rpartition('.')[2]}", "application/octet-stream")
    headers = [("content-security-policy", POLICY), ("cache-control", "no-cache")]
    return Response(200, known[name].read_bytes(), headers, media)


ROUTES = (
    Route(
        "GET", "/api/doc/", page, (PUBLIC,), Answer(shape="any", media="text/html", doc="The page."),
        summary="Documentation page", group="Docs",
    ),
    Route(
        "GET", "/api/doc/spec.json", spec_json, (PUBLIC,), Answer(shape="any", doc="OpenAPI 3.1."),
        summary="OpenAPI document, JSON", group="Docs",
    ),
    Route(
        "GET", "/api/doc/spec.yml", spec_yaml, (PUBLIC,),
        Answer(shape="any", media="application/x-yaml", doc="OpenAPI 3.1."),
        summary="OpenAPI document, YAML", group="Docs",
    ),
    Route(
        "GET", "/api/doc/static/{name}", static, (PUBLIC,), Answer(shape="any", media="*/*", doc="A file."),
        errors=(PageNotFound,), summary="Script or style of the page", group="Docs",
    ),
)  # fmt: skip
