"""The search for spaces: those of the searcher, and those that he may join or ask to join."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, Integer, and_, case, func, literal, or_, select, type_coerce

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import MEMBER
from atrio.plugins.spaces.api import SPACE_TABLE as SPACE

from ..models import PLACE
from . import BUCKETS, Facet, Hit, SpaceHits, SpaceSearch
from .wordlists import beginning, matching

OPEN = ("open", "on_request")


def own_space_ids(actor_id: int) -> Any:
    """Return a SELECT of the ids of the spaces that a user is a member of, deleted ones too."""
    return select(MEMBER.c.space_id).where(MEMBER.c.user_id == actor_id)


def find_places(ctx: Context, search: SpaceSearch) -> SpaceHits:
    """Return one page of spaces: four statements whatever their number."""
    if not search.query:
        return SpaceHits()
    hits = _hits(search)
    total = int(ctx.execute(select(func.count()).select_from(hits)).scalar() or 0)
    if not total:
        return SpaceHits()
    members = (
        select(MEMBER.c.user_id, func.count().label("n"))
        .where(
            MEMBER.c.space_id.in_(select(hits.c.space_id)), MEMBER.c.space_id.in_(own_space_ids(search.actor_id))
        )
        .group_by(MEMBER.c.user_id)
        .order_by(func.count().desc(), MEMBER.c.user_id)
        .limit(BUCKETS)
    )  # fmt: skip
    owners = (
        select(hits.c.owner_id.label("user_id"), func.count().label("n"))
        .where(hits.c.owner_id.is_not(None))
        .group_by(hits.c.owner_id)
        .order_by(func.count().desc(), hits.c.owner_id)
        .limit(BUCKETS)
    )
    page = (
        select(hits.c.space_id, hits.c.score)
        .order_by(hits.c.score.desc(), hits.c.label, hits.c.space_id)
        .limit(search.limit)
        .offset(search.offset)
    )
    rows = ctx.execute(page).all() if search.limit and search.offset < total else ()
    return SpaceHits(
        [Hit(row.space_id, row.score) for row in rows], total, True,
        [Facet(row.user_id, row.n) for row in ctx.execute(members)],
        [Facet(row.user_id, row.n) for row in ctx.execute(owners)],
    )  # fmt: skip


def _hits(search: SpaceSearch) -> Any:
    columns = [PLACE.c[name] for name in PLACE.c.keys()[1:] if not search.fields or name in search.fields]
    own = own_space_ids(search.actor_id)
    may = SPACE.c.space_id.in_(own)
    joinable = and_(SPACE.c.access_type.in_(OPEN), type_coerce(SPACE.c.is_deleted, Integer) == 0)
    conditions = [matching(search.query, columns), or_(may, joinable)]
    if not search.deleted:
        conditions.append(type_coerce(SPACE.c.is_deleted, Integer) == 0)
    if search.member_ids:
        inside = select(MEMBER.c.space_id).where(
            MEMBER.c.user_id.in_(search.member_ids), MEMBER.c.space_id.in_(own)
        )  # fmt: skip
        conditions.append(SPACE.c.space_id.in_(inside))
    if search.owner_ids:
        conditions.append(SPACE.c.owner_id.in_(search.owner_ids))
    return (
        select(
            PLACE.c.space_id, PLACE.c.label, SPACE.c.owner_id,
            type_coerce(case((beginning(search.query, PLACE.c.label), literal(2.0)), else_=literal(1.0)),
                        Float).label("score"),
        )
        .select_from(PLACE)
        .join(SPACE, SPACE.c.space_id == PLACE.c.space_id)
        .where(and_(*conditions))
        .cte("places")
    )  # fmt: skip
