"""The engine that needs nothing but the database: looks for each word anywhere in the texts.

A comment or a to-do that matches answers the content it belongs to. Rights are part of the query: only
contents of spaces where the user is a member are looked at, so totals tell nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT, REVISION, VISIBLE
from atrio.plugins.spaces.api import member_space_ids

from .. import queries
from . import ContentQuery, Found

PARTS = ("comment", "todo")
"""Types that answer their parent."""


class SimpleEngine:
    """Searches by LIKE; newest first, exact totals, no ranking."""

    def search(self, ctx: Context, query: ContentQuery) -> Found:
        """Return one page: two statements, and one for the paths of what is shown."""
        if not query.words:
            return Found()
        wanted = _wanted(ctx, query)
        total = int(ctx.execute(select(func.count()).select_from(CONTENT).where(wanted)).scalar() or 0)
        if not query.limit or query.offset >= total:
            return Found(total=total)
        return Found(queries.rows_of(ctx, wanted, query.offset, query.limit), total)


def _wanted(ctx: Context, query: ContentQuery) -> ColumnElement[bool]:
    """Return the condition of a hit that the user may see."""
    conditions = [
        CONTENT.c.content_id.in_(_hits(ctx, query)),
        CONTENT.c.space_id.in_(member_space_ids(query.user_id)),
        CONTENT.c.hidden_by.is_(None),
        _states(query),
    ]
    if query.content_types:
        conditions.append(CONTENT.c.type.in_(query.content_types))
    return and_(*conditions)


def _states(query: ContentQuery) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = []
    if query.active:
        wanted.append(VISIBLE)
    if query.deleted:
        wanted.append(CONTENT.c.trashed_at.is_not(None))
    if query.archived:
        wanted.append(CONTENT.c.archived_at.is_not(None))
    return or_(*wanted) if wanted else literal(0) == 1


def _hits(ctx: Context, query: ContentQuery) -> Select[Any]:
    """Return a SELECT of the ids of contents that match themselves, or by one of their parts."""
    matches = matcher(query.words)
    texts = (CONTENT.c.label, CONTENT.c.filename, REVISION.c.description, REVISION.c.raw_content)
    match = or_(
        *(matches(column) for column in texts),
        *(CONTENT.c.content_id.in_(give(matches)) for give in searchables(ctx)),
    )
    up = (
        select(CONTENT.c.content_id, CONTENT.c.parent_id, CONTENT.c.type)
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(CONTENT.c.space_id.in_(member_space_ids(query.user_id)), _shown(CONTENT), match)
        .cte("up", recursive=True)
    )
    parent = CONTENT.alias("whole")
    up = up.union(
        select(parent.c.content_id, parent.c.parent_id, parent.c.type)
        .join(up, up.c.parent_id == parent.c.content_id)
        .where(up.c.type.in_(PARTS), _shown(parent))
    )
    return select(up.c.content_id).where(up.c.type.not_in(PARTS))


def _shown(table: Any) -> ColumnElement[bool]:
    """Return the condition of a row that counts: a comment or a to-do only while it is not deleted itself."""
    gone = or_(table.c.trashed_at.is_not(None), table.c.archived_at.is_not(None))
    return not_(and_(table.c.type.in_(PARTS), gone))


def matcher(words: tuple[str, ...]) -> Callable[[Any], ColumnElement[bool]]:
    """Return what makes the condition of a text column that holds one of the words, whatever their case."""
    patterns = [f"%{_literally(word.lower())}%" for word in words]

    def matches(column: Any) -> ColumnElement[bool]:
        return or_(*(func.lower(column).like(pattern, escape="!") for pattern in patterns))

    return matches


def _literally(word: str) -> str:
    return word.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def searchables(ctx: Context) -> tuple[Callable[[Any], Any], ...]:
    """Return what other plugins offer to the search; asked once for an instance."""

    def collect() -> tuple[Callable[[Any], Any], ...]:
        offered = ctx.kernel.hooks.hook.register_searchables()
        return tuple(entry["content_ids"] for given in offered for entry in given or ())

    return ctx.kernel.memo("search.searchables", collect)
