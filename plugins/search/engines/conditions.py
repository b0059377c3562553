"""Who may see what, as conditions of the query itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, VISIBLE
from atrio.plugins.spaces.api import member_space_ids, short_columns

from ..searchables import with_tags
from . import ContentSearch, Range

PARTS = ("comment", "todo")
"""Types that are texts of the content that they belong to."""
author, _, _ = digest_columns(CONTENT.c.author_id, "search_author")
space, _, _ = short_columns(CONTENT.c.space_id, "search")


def shown_to(user_id: Any, *, active: bool, deleted: bool, archived: bool) -> ColumnElement[bool]:
    """Return the condition of contents that a user may find, in some states.

    `+ 0` keeps planners from walking through all contents of his spaces: hits are fewer.
    """
    return and_(
        (CONTENT.c.space_id + 0).in_(member_space_ids(user_id)), CONTENT.c.hidden_by.is_(None),
        CONTENT.c.type.not_in([literal(p) for p in PARTS]),
        _states(active=active, deleted=deleted, archived=archived),
    )  # fmt: skip


def _states(*, active: bool, deleted: bool, archived: bool) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = []
    if active:
        wanted.append(VISIBLE)
    if deleted:
        wanted.append(CONTENT.c.trashed_at.is_not(None))
    if archived:
        wanted.append(CONTENT.c.archived_at.is_not(None))
    return or_(*wanted) if wanted else literal(0) == 1


def filters(ctx: Context, search: ContentSearch) -> list[ColumnElement[bool]]:
    """Return the conditions that a search sets beside its words."""
    found = [shown_to(search.actor_id, active=search.active, deleted=search.deleted, archived=search.archived)]
    for column, values in (
        (CONTENT.c.type, search.content_types), (CONTENT.c.file_extension, search.file_extensions),
        (CONTENT.c.status, search.statuses),
    ):  # fmt: skip
        if values:
            found.append(column.in_(values))
    for column, key, name, values in (
        (CONTENT.c.space_id, space.space_id, space.label, search.workspace_names),
        (CONTENT.c.author_id, author.user_id, author.public_name, search.author_names),
        (CONTENT.c.last_modifier_id, author.user_id, author.public_name, search.modifier_names),
    ):
        if values:
            found.append(column.in_(select(key).where(name.in_(values))))
    if search.tags:
        tagged = with_tags(ctx, search.tags)
        found.append(CONTENT.c.content_id.in_(tagged) if tagged is not None else literal(0) == 1)
    return [*found, *span(CONTENT.c.created, search.created), *span(CONTENT.c.modified, search.modified)]


def span(column: Any, wanted: Range) -> list[ColumnElement[bool]]:
    """Return the conditions of a time inside a range; moments of the wire are whole seconds."""
    found: list[ColumnElement[bool]] = []
    if wanted.start is not None:
        found.append(column >= wanted.start)
    if wanted.end is not None:
        found.append(column <= wanted.end)
    return found


def count_of_all() -> Any:
    """Return the column that counts all rows of a page's query."""
    return func.count().over().label("total")
