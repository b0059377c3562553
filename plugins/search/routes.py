"""Routes of search."""

from __future__ import annotations

from typing import Any, NamedTuple

from atrio.kernel.context import Context
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import USER

from . import schemas
from .engines import ContentQuery, Engine
from .engines.simple import SimpleEngine

SIMPLE: Engine = SimpleEngine()


class Page(NamedTuple):
    """One page of a search, its contents ready for the wire."""

    contents: list[Any]
    total_hits: int
    is_total_hits_accurate: bool


def search_contents(ctx: Context, call: Call) -> Page:
    """Find contents in the caller's spaces by words in name, text, description, comments, to-dos and tags."""
    query = call.query
    found = SIMPLE.search(
        ctx,
        ContentQuery(
            user_id=ctx.actor.id or 0, words=query["search_string"] or (),
            content_types=query["content_types"], active=bool(query["show_active"]),
            deleted=bool(query["show_deleted"]), archived=bool(query["show_archived"]),
            offset=(query["page_nb"] - 1) * query["size"], limit=query["size"],
        ),
    )  # fmt: skip
    return Page(schemas.content.build_all(found.rows), found.total, found.exact)


ROUTES = (
    Route(
        "GET", "/api/search/content", search_contents, (USER,),
        Answer(schemas.result, doc="One page, newest first, and the number of all hits."),
        query=schemas.ContentSearchQuerySchema, summary="Find contents", group="Search",
    ),
)  # fmt: skip
