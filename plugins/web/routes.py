"""Routes of web: the start page, or the page and the files of a front-end build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from atrio.kernel.config import Config
from atrio.kernel.context import Context
from atrio.kernel.errors import PageNotFound
from atrio.kernel.http.downloads import operator_file
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route

from .branding import branding_folders
from .config import WebConfig
from .files import find, inside, media_of
from .page import cache_token, index_page, start_page

PAGE = Answer(shape="any", media="text/html", doc="The page.")
FILE = Answer(
    shape="any",
    media="*/*",
    doc="The file.",
    also=((206, "A part."), (304, "Not modified."), (416, "No such part.")),
)
KEPT_FOR_OTHERS = frozenset(
    {"api", "ui", "dav", "webdav", "health", "saml", "index.mak", "custom_toolbox-assets", ".well-known"}
)
ASK_EACH_TIME = "no-cache"
FOR_A_YEAR = "public, max-age=31536000, immutable"
Handler = Callable[[Context, Call], Any]


def start(ctx: Context, call: Call) -> Response:
    """Return the start page of an instance without a front end."""
    body, headers = start_page(ctx.kernel)
    return Response(200, body, [*headers, ("cache-control", "no-store")], "text/html; charset=utf-8")


def index(ctx: Context, call: Call) -> Response:
    """Return the page of the front end, whatever place in it the address names."""
    body, headers = index_page(ctx.kernel)
    return Response(200, body, [*headers, ("cache-control", "no-store")], "text/html; charset=utf-8")


def _serve(folders: Sequence[Path], name: Callable[[Call], str]) -> Handler:
    """Return the handler that sends a file of some folders."""

    def handler(ctx: Context, call: Call) -> Response:
        """Return a file of the front end."""
        path = find(folders, name(call))
        if path is None:
            raise PageNotFound
        marked = call.http.query_string == f"token={cache_token(ctx.kernel)}".encode()
        return operator_file(call.http, path, media_of(path), cache=FOR_A_YEAR if marked else ASK_EACH_TIME)

    return handler


def _page(path: str, handler: Handler, summary: str) -> Route:
    return Route("GET", path, handler, (PUBLIC,), PAGE, summary=summary, group="Front end", hidden=True)


def _files(path: str, folders: Sequence[Path], name: Callable[[Call], str], summary: str) -> Route:
    return Route(
        "GET", path, _serve(folders, name), (PUBLIC,), FILE, errors=(PageNotFound,), summary=summary,
        group="Front end", hidden=True,
    )  # fmt: skip


def _rest(call: Call) -> str:
    return str(call.path["rest"])


def routes(config: Config) -> list[Route]:
    """Return the routes that the settings ask for."""
    settings = config[WebConfig]
    found: list[Route] = []
    branding = branding_folders(settings)
    if branding:
        found.append(_files("/assets/branding/{rest:rest}", branding, _rest, "A file of the branding folder"))
    if settings.custom_toolbox_folder is not None:
        toolbox = (settings.custom_toolbox_folder,)
        found.append(_files("/custom_toolbox-assets/{rest:rest}", toolbox, _rest, "A file of the custom toolbox"))
    if settings.dist_folder is None or not settings.serve:
        return [_page("/", start, "Start page"), *found]
    pages = (
        ("/", "Front end"),
        ("/index.mak", "Front end"),
        ("/ui", "Front end"),
        ("/ui/{rest:rest}", "Front end"),
    )
    return [*(_page(path, index, summary) for path, summary in pages), *found, *_build(settings.dist_folder)]


def _named(name: str) -> Callable[[Call], str]:
    return lambda _: name


def _build(dist: Path) -> list[Route]:
    """Return the routes of what lies at the top of a build; nothing takes the place of the API's paths."""
    found = []
    for entry in sorted(dist.iterdir()):
        name = entry.name
        if name in KEPT_FOR_OTHERS or name.startswith(".") or "{" in name or not inside(dist, entry):
            continue
        if entry.is_dir():
            found.append(_files(f"/{name}/{{rest:rest}}", (entry,), _rest, "A file of the front end"))
        else:
            found.append(_files(f"/{name}", (dist,), _named(name), "A file of the front end"))
    return found
