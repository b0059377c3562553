"""Routes of url_preview."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import USER

from . import schemas, services
from .errors import UnavailableUrlPreview
from .page import Preview


def show(ctx: Context, call: Call) -> Preview:
    """Return title, description and picture of a page of the web, as the page gives them."""
    return services.preview(ctx, call.query["url"])


ROUTES = (
    Route(
        "GET", "/api/url-preview", show, (USER,), Answer(schemas.preview, doc="What the page says of itself."),
        query=schemas.UrlQuerySchema, errors=(UnavailableUrlPreview,), summary="Preview of a web page",
        group="URL Preview",
    ),
)  # fmt: skip
