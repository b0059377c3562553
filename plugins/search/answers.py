"""What routes answer: hits with what results show of them, facets with names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from atrio.kernel.context import Context
from atrio.kernel.db.base import iso_utc

from . import queries, schemas
from .engines import FACETS, ContentHits, Facet, Range, SpaceHits, UserHits


class ContentPage(NamedTuple):
    """One page of contents."""

    contents: list[Any]
    total_hits: int
    is_total_hits_accurate: bool
    facets: Mapping[str, Any] | None = None
    created_range: Mapping[str, Any] | None = None
    modified_range: Mapping[str, Any] | None = None


class UserPage(NamedTuple):
    """One page of people."""

    users: list[Any]
    total_hits: int
    is_total_hits_accurate: bool
    facets: Mapping[str, Any]
    newest_authored_content_date_range: Mapping[str, Any]
    search_fields: Sequence[str]


class SpacePage(NamedTuple):
    """One page of spaces."""

    workspaces: list[Any]
    total_hits: int
    is_total_hits_accurate: bool
    facets: Mapping[str, Any]


def content_page(ctx: Context, found: ContentHits, *, advanced: bool, highlight: bool = False) -> ContentPage:
    """Return a page of contents for the wire; the advanced one with facets and ranges."""
    dumper = schemas.highlighted_content if highlight else schemas.content
    contents = dumper.build_all(queries.contents_of(ctx, found.hits))
    if not advanced:
        return ContentPage(contents, found.total, found.exact)
    facets = {name: [_counted(f.value, f) for f in found.facets.get(name, ())] for name in FACETS}
    return ContentPage(contents, found.total, found.exact, facets, _span(found.created), _span(found.modified))


def user_page(ctx: Context, found: UserHits, search_fields: Sequence[str]) -> UserPage:
    """Return a page of people for the wire."""
    actor_id = ctx.actor.id or 0
    users = schemas.user.build_all(queries.people_of(ctx, found.hits, actor_id))
    places = queries.places_of(ctx, [f.value for f in found.spaces], actor_id)
    named = {
        i: {"workspace_id": i, "label": row.label, "slug": row.slug} for i, row in places.items()
    }  # fmt: skip
    return UserPage(
        users, found.total, found.exact, {"workspaces": _named(found.spaces, named)}, _span(found.newest),
        search_fields,
    )  # fmt: skip


def space_page(ctx: Context, found: SpaceHits) -> SpacePage:
    """Return a page of spaces for the wire."""
    rows = queries.places_of(ctx, [hit.id for hit in found.hits], ctx.actor.id or 0)
    shown = schemas.place.build_all(rows[hit.id] for hit in found.hits if hit.id in rows)
    people = queries.digests_of(ctx, list({f.value for f in (*found.members, *found.owners)}))
    digests = {i: schemas.user_digest.build(row) for i, row in people.items()}
    facets = {"members": _named(found.members, digests), "owners": _named(found.owners, digests)}
    return SpacePage(shown, found.total, found.exact, facets)


def _named(facets: Iterable[Facet], names: Mapping[Any, Any]) -> list[dict[str, Any]]:
    return [_counted(names[f.value], f) for f in facets if f.value in names]


def _counted(value: Any, facet: Facet) -> dict[str, Any]:
    return {"value": value, "count": facet.count}


def _span(span: Range) -> dict[str, str | None]:
    start, end = (None if moment is None else iso_utc(moment) for moment in (span.start, span.end))
    return {"from": start, "to": end}
