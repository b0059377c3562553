"""The search for people: those whom the searcher may know."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, Integer, and_, case, func, literal, select, type_coerce

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, VISIBLE
from atrio.plugins.spaces.api import MEMBER, member_space_ids

from ..models import PERSON
from . import BUCKETS, Facet, Hit, Range, UserHits, UserSearch
from .conditions import span
from .wordlists import beginning, matching

_person, _person_is, _ = digest_columns(PERSON.c.user_id, "searched")


def find_people(ctx: Context, search: UserSearch) -> UserHits:
    """Return one page of people: three statements whatever their number."""
    if not search.query:
        return UserHits()
    hits = _hits(search)
    found = select(hits.c.user_id, hits.c.score).order_by(
        hits.c.score.desc(), hits.c.public_name, hits.c.user_id
    ).limit(search.limit).offset(search.offset)  # fmt: skip
    summary: Any = ctx.execute(
        select(func.count(), func.min(hits.c.newest), func.max(hits.c.newest)).select_from(hits)
    ).one()
    total, first, last = summary
    if not total:
        return UserHits()
    shared = (
        select(MEMBER.c.space_id, func.count().label("n"))
        .where(
            MEMBER.c.user_id.in_(select(hits.c.user_id)),
            MEMBER.c.space_id.in_(member_space_ids(search.actor_id)),
        )
        .group_by(MEMBER.c.space_id)
        .order_by(func.count().desc(), MEMBER.c.space_id)
        .limit(BUCKETS)
    )
    spaces = [Facet(row.space_id, row.n) for row in ctx.execute(shared)]
    page = ctx.execute(found).all() if search.limit and search.offset < total else ()
    return UserHits([Hit(r.user_id, r.score) for r in page], int(total), True, spaces, Range(first, last))


def newest_of(user_id: Any, actor_id: int) -> Any:
    """Return when the newest content of a user was created, of those that the actor may see."""
    return (
        select(func.max(CONTENT.c.created))
        .where(
            CONTENT.c.author_id == user_id, (CONTENT.c.space_id + 0).in_(member_space_ids(actor_id)), VISIBLE
        )
        .scalar_subquery()
    )  # fmt: skip


def _hits(search: UserSearch) -> Any:
    columns = [PERSON.c[name] for name in PERSON.c.keys()[1:] if not search.fields or name in search.fields]
    newest = newest_of(_person.user_id, search.actor_id)
    conditions = [matching(search.query, columns)]
    if not search.deleted:
        conditions.append(type_coerce(_person.is_deleted, Integer) == 0)
    if not search.active:
        conditions.append(type_coerce(_person.is_active, Integer) == 0)
    if not search.everybody:
        known = select(MEMBER.c.user_id).where(MEMBER.c.space_id.in_(member_space_ids(search.actor_id)))
        conditions.append(_person.user_id.in_(known) | (_person.user_id == search.actor_id))
    if search.space_ids:
        # Who is in a space is known to its members only.
        inside = select(MEMBER.c.user_id).where(
            MEMBER.c.space_id.in_(search.space_ids), MEMBER.c.space_id.in_(member_space_ids(search.actor_id))
        )
        conditions.append(_person.user_id.in_(inside))
    conditions += span(newest, search.newest)
    return (
        select(
            PERSON.c.user_id, PERSON.c.public_name, newest.label("newest"),
            type_coerce(case((beginning(search.query, PERSON.c.public_name), literal(2.0)), else_=literal(1.0)),
                        Float).label("score"),
        )
        .select_from(PERSON)
        .join(_person, _person_is)
        .where(and_(*conditions))
        .cte("people")
    )  # fmt: skip
