"""Routes of search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import USER, knows_everybody

from . import schemas
from .answers import ContentPage, SpacePage, UserPage, content_page, space_page, user_page
from .choice import engine_of, is_advanced
from .config import SearchConfig
from .engines import USER_FIELDS, ContentSearch, Range, SpaceSearch, UserSearch
from .errors import AdvancedSearchNotEnabled
from .language import Query, parse
from .simple import PlainSearch, find_plainly


def _enabled(ctx: Context, call: Call) -> None:
    if not is_advanced(ctx.config):
        raise AdvancedSearchNotEnabled


ADVANCED = Guard("advanced search", _enabled, (AdvancedSearchNotEnabled,))
"""For routes that only engines with an index of words answer."""


def _page(query: Mapping[str, Any]) -> dict[str, Any]:
    return {"offset": (query["page_nb"] - 1) * query["size"], "limit": query["size"]}


def _parsed(ctx: Context, query: Mapping[str, Any]) -> Query:
    return parse(query["search_string"] or "", ctx.config[SearchConfig].operator)


def _states(query: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "active": bool(query["show_active"]), "deleted": bool(query["show_deleted"]),
        "archived": bool(query["show_archived"]),
    }  # fmt: skip


def search_contents(ctx: Context, call: Call) -> ContentPage:
    """Find contents in the caller's spaces by words in name, text, description, comments, to-dos and tags."""
    query = call.query
    search = PlainSearch(
        actor_id=ctx.actor.id or 0, words=query["search_string"] or (), content_types=query["content_types"],
        **_states(query), **_page(query),
    )  # fmt: skip
    return content_page(ctx, find_plainly(ctx, search), advanced=False)


def search_contents_with_facets(ctx: Context, call: Call) -> ContentPage:
    """Find contents in the caller's spaces, best matches first, with what all hits have in common."""
    query = call.query
    search = ContentSearch(
        actor_id=ctx.actor.id or 0, query=_parsed(ctx, query), fields=frozenset(query["search_fields"] or ()),
        content_types=query["content_types"], workspace_names=query["workspace_names"],
        author_names=query["author__public_names"], modifier_names=query["last_modifier__public_names"],
        file_extensions=query["file_extensions"], statuses=query["statuses"], tags=query["tags"],
        created=Range(query["created_from"], query["created_to"]),
        modified=Range(query["modified_from"], query["modified_to"]), highlight=bool(query["highlight"]),
        **_states(query), **_page(query),
    )  # fmt: skip
    found = engine_of(ctx.kernel).contents(ctx, search)
    return content_page(ctx, found, advanced=True, highlight=search.highlight)


def search_users(ctx: Context, call: Call) -> UserPage:
    """Find people whom the caller may know."""
    query = call.query
    fields = query["search_fields"] or ()
    search = UserSearch(
        actor_id=ctx.actor.id or 0, everybody=knows_everybody(ctx), query=_parsed(ctx, query),
        fields=frozenset(fields), space_ids=query["workspace_ids"] or (),
        newest=Range(
            query["newest_authored_content_date_from"], query["newest_authored_content_date_to"]
        ),
        active=bool(query["show_active"]), deleted=bool(query["show_deleted"]), **_page(query),
    )  # fmt: skip
    return user_page(ctx, engine_of(ctx.kernel).users(ctx, search), fields or USER_FIELDS)


def search_spaces(ctx: Context, call: Call) -> SpacePage:
    """Find spaces that the caller is in, may join, or may ask to join."""
    query = call.query
    search = SpaceSearch(
        actor_id=ctx.actor.id or 0, query=_parsed(ctx, query), fields=frozenset(query["search_fields"] or ()),
        member_ids=query["member_ids"] or (), owner_ids=query["owner_ids"] or (),
        deleted=bool(query["show_deleted"]), **_page(query),
    )  # fmt: skip
    return space_page(ctx, engine_of(ctx.kernel).spaces(ctx, search))


ROUTES = (
    Route(
        "GET", "/api/search/content", search_contents, (USER,),
        Answer(schemas.result, doc="One page, newest first, and the number of all hits."),
        query=schemas.ContentSearchQuerySchema, summary="Find contents", group="Search",
    ),
    Route(
        "GET", "/api/advanced_search/content", search_contents_with_facets, (USER, ADVANCED),
        Answer(schemas.advanced_result, doc="One page, best matches first, with facets of all hits."),
        query=schemas.AdvancedContentSearchQuerySchema, summary="Find contents, with facets", group="Search",
    ),
    Route(
        "GET", "/api/advanced_search/user", search_users, (USER, ADVANCED),
        Answer(schemas.user_result, doc="One page of people, with facets of all hits."),
        query=schemas.UserSearchQuerySchema, summary="Find people", group="Search",
    ),
    Route(
        "GET", "/api/advanced_search/workspace", search_spaces, (USER, ADVANCED),
        Answer(schemas.place_result, doc="One page of spaces, with facets of all hits."),
        query=schemas.SpaceSearchQuerySchema, summary="Find spaces", group="Search",
    ),
)  # fmt: skip
