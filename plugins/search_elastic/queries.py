"""Reads: what waits for the index, and what the database has to say of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal, not_, or_, select, union

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT
from atrio.plugins.search.api import PARTS, STALE, ContentSearch, shown_to
from atrio.plugins.spaces.api import SPACE_TABLE as SPACE
from atrio.plugins.spaces.api import member_space_ids

from .models import WAITING
from .requests import Scope

LATE = 10_000
"""Contents with changes that the index does not know, which a search leaves out at most."""
_person, _, _ = digest_columns(literal(0), "elastic")


def scope_of(ctx: Context, search: ContentSearch) -> Scope | None:
    """Return what bounds a search, None when nothing can be found: at most four statements."""
    query = member_space_ids(search.actor_id)
    if search.workspace_names:
        query = select(SPACE.c.space_id).where(
            SPACE.c.space_id.in_(query), SPACE.c.label.in_(search.workspace_names)
        )
    spaces = list(ctx.execute(query).scalars())
    if not spaces:
        return None
    return Scope(
        spaces, _people(ctx, search.author_names), _people(ctx, search.modifier_names), _late(ctx, search)
    )  # fmt: skip


def _people(ctx: Context, names: Sequence[str]) -> list[int] | None:
    if not names:
        return None
    return list(ctx.execute(select(_person.user_id).where(_person.public_name.in_(names))).scalars())


def _late(ctx: Context, search: ContentSearch) -> list[int]:
    """Return contents that wait for the index and that this search may not find: moved away, trashed, gone."""
    waiting = union(
        select(WAITING.c.content_id.label("content_id")),
        select(STALE.c.item_id.label("content_id")).where(STALE.c.kind == "content"),
    ).subquery()
    shown = shown_to(search.actor_id, active=search.active, deleted=search.deleted, archived=search.archived)
    query = (
        select(waiting.c.content_id)
        .select_from(waiting.outerjoin(CONTENT, CONTENT.c.content_id == waiting.c.content_id))
        .where(or_(CONTENT.c.content_id.is_(None), not_(shown)))
        .limit(LATE)
    )
    return list(ctx.execute(query).scalars())


def still_shown(ctx: Context, search: ContentSearch, content_ids: Sequence[int]) -> set[int]:
    """Return which of some contents this searcher may find, as the database has it now."""
    if not content_ids:
        return set()
    shown = shown_to(search.actor_id, active=search.active, deleted=search.deleted, archived=search.archived)
    return set(
        ctx.execute(select(CONTENT.c.content_id).where(CONTENT.c.content_id.in_(content_ids), shown)).scalars()
    )


def space_names(ctx: Context, ids: Sequence[int]) -> dict[int, str]:
    """Return the labels of some spaces by id."""
    if not ids:
        return {}
    rows: Any = ctx.execute(select(SPACE.c.space_id, SPACE.c.label).where(SPACE.c.space_id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def people_names(ctx: Context, ids: Sequence[int]) -> dict[int, str]:
    """Return the names of some users by id."""
    if not ids:
        return {}
    rows: Any = ctx.execute(select(_person.user_id, _person.public_name).where(_person.user_id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def waiting(ctx: Context, limit: int) -> list[Any]:
    """Return the first contents that wait for the index."""
    return list(ctx.execute(select(WAITING).order_by(WAITING.c.content_id).limit(limit)).all())


def number_waiting(ctx: Context) -> int:
    """Return how many contents wait for the index."""
    return int(ctx.execute(select(func.count()).select_from(WAITING)).scalar() or 0)


def id_before(ctx: Context, content_id: int | None) -> int:
    """Return the last content before an id, or the last of all; 0 for none."""
    query = select(func.max(CONTENT.c.content_id)).where(CONTENT.c.type.not_in(PARTS))
    if content_id is not None:
        query = query.where(CONTENT.c.content_id < content_id)
    return int(ctx.execute(query).scalar() or 0)
