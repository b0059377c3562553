"""The list of a space: its statement for each shape, built once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, case, cast, literal, or_, select, type_coerce

from atrio.kernel.context import Context
from atrio.kernel.db.order import from_bookmark
from atrio.kernel.db.statement import Statement
from atrio.kernel.text import fold
from atrio.plugins.spaces.api import member_space_ids

from ..models import Content
from .columns import ARCHIVED, DIGEST, TRASHED, VISIBLE, contributed, with_people

SORTS = {
    "label": Content.sort_key, "modified": Content.modified, "created": Content.created,
}  # fmt: skip


@dataclass(frozen=True)
class ListShape:
    """What makes the SQL of a list: everything but the values."""

    parents: int = 0
    namespaces: int = 1
    content_type: bool = False
    label: bool = False
    archived: bool = False
    deleted: bool = False
    active: bool = True
    sort: str = "label"
    descending: bool = False
    limited: bool = False
    bookmark: str = ""


def list_statement(ctx: Context, shape: ListShape) -> Statement:
    """Return the statement of a list; each shape is built once for an instance."""
    return ctx.kernel.memo(("core_content.list", shape), lambda: _build_list(ctx, shape))


def _columns(shape: ListShape) -> list[Any]:
    """Return what a list reads: each column costs in each row, so constants and unused ones are left out."""
    columns = list(DIGEST)
    if (shape.active, shape.archived, shape.deleted) == (True, False, False):
        constant = ("is_archived", "is_deleted", "is_editable")  # the schema's defaults say the first two
        columns = [c for c in columns if c.key not in constant]
        columns.append(type_coerce(case((Content.status == "open", 1), else_=0), Integer).label("is_editable"))
    if shape.limited and shape.sort == "label":
        columns.append(Content.sort_key)  # for the page tokens
    return columns


def _build_list(ctx: Context, shape: ListShape) -> Statement:
    query = with_people(select(*_columns(shape), *contributed(ctx)).select_from(Content)).where(
        Content.space_id == bindparam("space_id"),
        Content.namespace.in_([bindparam(f"namespace_{i}") for i in range(shape.namespaces)]),
    )
    if shape.parents:
        query = query.where(Content.parent_key.in_([bindparam(f"parent_{i}") for i in range(shape.parents)]))
    if shape.content_type:
        query = query.where(Content.type == bindparam("content_type"))
    if shape.label:
        query = query.where(Content.sort_key.like(bindparam("label"), escape="!"))
    query = query.where(_states(shape))
    column = SORTS[shape.sort]
    backward = shape.bookmark == "<"
    descending = shape.descending != backward
    if shape.bookmark:
        query = query.where(from_bookmark(ctx.dialect, column, Content.content_id, descending=descending))
        if shape.namespaces == 1 and shape.parents <= 1:
            query = _begin_at_bookmark(query, shape)
    order = (column.desc(), Content.content_id.desc()) if descending else (column, Content.content_id)
    query = query.order_by(*order)
    if shape.limited:
        query = query.limit(bindparam("limit", type_=Integer))
    return Statement(query, "DigestRow")


def _begin_at_bookmark(query: Select[Any], shape: ListShape) -> Select[Any]:
    """Tell MariaDB which index to enter at the bookmark.

    It takes half of the table for the most that a range can hold; for large spaces it then reads the index from
    its start, a third of a second for 100,000 contents.
    """
    name = "sorted" if shape.sort == "label" else shape.sort
    index = f"ix_core_content_content_{'folder_' if shape.parents else ''}{name}"
    for dialect in ("mysql", "mariadb"):
        query = query.with_hint(Content, f"FORCE INDEX ({index})", dialect)
    return query


def _states(shape: ListShape) -> Any:
    wanted = []
    if shape.active:
        wanted.append(VISIBLE)
    if shape.deleted:
        wanted.append(TRASHED == 1)
    if shape.archived:
        wanted.append(ARCHIVED == 1)
    return or_(*wanted) if wanted else literal(0) == 1


# -- lists over all spaces of a user ------------------------------------------------------------------------


def templates_statement(ctx: Context) -> Statement:
    """Return the statement of the templates of a type in the spaces of a user."""

    def build() -> Statement:
        query = with_people(select(*DIGEST, *contributed(ctx)).select_from(Content)).where(
            Content.space_id.in_(member_space_ids(bindparam("user_id"))), Content.is_template == 1, VISIBLE,
            Content.type == bindparam("content_type"),
        )  # fmt: skip
        return Statement(query.order_by(Content.sort_key, Content.content_id), "DigestRow")

    return ctx.kernel.memo("core_content.templates", build)


KNOWN_TYPES = ("logbook", "thread", "file", "html-document", "folder", "kanban")


def known(ctx: Context, user_id: int, text: str, limit: int) -> list[Any]:
    """Return the visible contents of a user's spaces whose label, or whose id, contains a text."""

    def build() -> Statement:
        query = with_people(select(*DIGEST, *contributed(ctx)).select_from(Content)).where(
            Content.space_id.in_(member_space_ids(bindparam("user_id"))), VISIBLE,
            Content.type.in_([bindparam(f"type_{i}") for i in range(len(KNOWN_TYPES))]),
            or_(
                Content.sort_key.like(bindparam("label"), escape="!"),
                cast(Content.content_id, String(20)).like(bindparam("digits"), escape="!"),
            ),
        )  # fmt: skip
        query = query.order_by(Content.sort_key, Content.content_id).limit(bindparam("limit", type_=Integer))
        return Statement(query, "DigestRow")

    escaped = contains(text)
    values = {f"type_{i}": slug for i, slug in enumerate(KNOWN_TYPES)}
    return ctx.kernel.memo("core_content.known", build).all(
        ctx, user_id=user_id, label=escaped, digits=escaped, limit=limit, **values
    )


def contains(text: str) -> str:
    """Return the LIKE pattern (escape `!`) of a text anywhere in a sort key."""
    escaped = fold(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
