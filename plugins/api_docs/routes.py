"""Routes of api_docs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from atrio.kernel.context import Context
from atrio.kernel.errors import PageNotFound
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.ranges import Piece
from atrio.kernel.http.request import Request
from atrio.kernel.http.response import FileResponse, Response
from atrio.kernel.http.route import Answer, Call, Route

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOLDER = Path(__file__).with_name("static")
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class StaticFile:
    """A file of the page."""

    path: Path
    size: int
    media: str
    etag: str


def _files() -> dict[str, StaticFile]:
    """Return what the page may load, by name: its own files and those of Swagger UI."""
    found: dict[str, StaticFile] = {}
    for path in sorted((*FOLDER.iterdir(), *(FOLDER / "swagger-ui").iterdir())):
        if path.is_file():
            data = path.read_bytes()
            found[path.name] = StaticFile(path, len(data), TYPES.get(path.suffix, PLAIN), _etag(data))
    return found


def _etag(data: bytes) -> str:
    return f'"{sha256(data).hexdigest()[:16]}"'


def _fresh(request: Request, etag: str) -> bool:
    """Tell whether the caller has this already (RFC 9110 §13.1.2)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]


def _document(ctx: Context, call: Call, name: str, media: str) -> Response:
    """Send the document, made once for each route table: a plugin that is taken out leaves it, too."""

    def render() -> tuple[bytes, str]:
        from .openapi import build

        document = build(ctx.kernel)
        data = msgspec.json.encode(document) if name == "json" else _yaml(document)
        return data, _etag(data)

    data, etag = ctx.kernel.memo((f"api_docs.{name}", ctx.kernel.router), render)
    headers = [("etag", etag), ("cache-control", "no-cache")]
    if _fresh(call.http, etag):
        return Response(304, b"", headers)
    return Response(200, data, headers, media)


def _yaml(document: dict[str, Any]) -> bytes:
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes shared parts in full: readers of OpenAPI do not all know YAML's aliases."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    text: str = yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=110)
    return text.encode()


def spec_json(ctx: Context, call: Call) -> Response:
    """Return the OpenAPI document as JSON."""
    return _document(ctx, call, "json", "application/json")


def spec_yaml(ctx: Context, call: Call) -> Response:
    """Return the OpenAPI document as YAML."""
    return _document(ctx, call, "yaml", "application/yaml")


def page(ctx: Context, call: Call) -> Response:
    """Return the documentation page; everything it loads comes from this server."""
    return _send(ctx, call, "index.html")


def static(ctx: Context, call: Call) -> Response:
    """Return a script, style or licence of the page."""
    return _send(ctx, call, call.path["name"])


def _send(ctx: Context, call: Call, name: str) -> Response:
    """Send a file; a browser may keep it but asks each time, so that an upgrade shows at once."""
    file = ctx.kernel.memo("api_docs.files", _files).get(name)
    if file is None:
        raise PageNotFound
    headers = [("content-security-policy", POLICY), ("etag", file.etag), ("cache-control", "no-cache")]
    if _fresh(call.http, file.etag):
        return Response(304, b"", headers)
    return FileResponse(200, b"", headers, file.media, file.path, [Piece(b"", 0, file.size)])


KEPT = ((304, "Not modified."),)

ROUTES = (
    Route(
        "GET", "/api/doc/", page, (PUBLIC,),
        Answer(shape="any", media="text/html", doc="The page.", also=KEPT),
        summary="Documentation page", group="Docs",
    ),
    Route(
        "GET", "/api/doc/spec.json", spec_json, (PUBLIC,), Answer(shape="any", doc="OpenAPI 3.1.", also=KEPT),
        summary="OpenAPI document, JSON", group="Docs",
    ),
    Route(
        "GET", "/api/doc/spec.yml", spec_yaml, (PUBLIC,),
        Answer(shape="any", media="application/yaml", doc="OpenAPI 3.1.", also=KEPT),
        summary="OpenAPI document, YAML", group="Docs",
    ),
    Route(
        "GET", "/api/doc/static/{name}", static, (PUBLIC,),
        Answer(shape="any", media="*/*", doc="A file.", also=KEPT), errors=(PageNotFound,),
        summary="Script, style or licence of the page", group="Docs",
    ),
)  # fmt: skip
