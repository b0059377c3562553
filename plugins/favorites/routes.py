"""Routes of favorites."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.paging import page
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.schema import Rows
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR
from atrio.plugins.core_content.api import ContentNotFound

from . import queries, schemas, services
from .errors import FavoriteContentNotFound

GROUP = "Users > Contents > Favorites"
ALL = "/api/users/{user_id:int}/favorite-contents"
EACH = f"{ALL}/{{content_id}}"
GUARDS = (OWN_OR_ADMINISTRATOR, CANDIDATE)
ONE = Answer(schemas.favorite, doc="The favourite.")


def list_all(ctx: Context, call: Call) -> Rows:
    """Return a user's favourites in one page, oldest first."""
    return page(queries.of_user(ctx, _user(ctx)), 0, None, lambda row: (row.created, row.content_id))


def get(ctx: Context, call: Call) -> Any:
    """Return one of a user's favourites."""
    row = queries.one(ctx, _user(ctx), _content(call))
    if row is None:
        raise FavoriteContentNotFound
    return row


def create(ctx: Context, call: Call) -> int:
    """Make a content a favourite; one that is a favourite already stays as it is."""
    content_id = call.body["content_id"]
    services.keep(ctx, _user(ctx), content_id)
    return int(content_id)


def load(ctx: Context, content_id: int) -> Any:
    """Return a favourite that was just written."""
    return queries.one(ctx, _user(ctx), content_id)


def delete(ctx: Context, call: Call) -> None:
    """Make a content no favourite; what is none stays none."""
    services.drop(ctx, _user(ctx), _content(call))


def _user(ctx: Context) -> int:
    return int(ctx.resources["user"].user_id)


def _content(call: Call) -> int:
    text = call.path["content_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise ValidationFailed({"content_id": ["Not a valid integer."]})
    return int(text)


ROUTES = (
    Route(
        "GET", ALL, list_all, GUARDS, Answer(schemas.favorite, "page", doc="All favourites, in one page."),
        summary="A user's favourites", group=GROUP,
    ),
    Route(
        "GET", EACH, get, GUARDS, ONE, errors=(FavoriteContentNotFound,), summary="One favourite", group=GROUP
    ),
    Route(
        "POST", ALL, create, GUARDS, ONE, body=schemas.ContentIdBodySchema, after=load,
        errors=(ContentNotFound,), summary="Make a content a favourite", group=GROUP,
    ),
    Route("DELETE", EACH, delete, GUARDS, EMPTY, summary="Make a content no favourite", group=GROUP),
)  # fmt: skip
