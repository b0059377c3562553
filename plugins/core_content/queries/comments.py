"""Reads of comments: contents without a name, below another content."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, select
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.order import from_bookmark
from atrio.kernel.db.statement import Statement

from ..models import Content, Revision
from .columns import author_columns, modifier_columns, with_people

_parent = aliased(Content, name="commented")
_COLUMNS = (
    Content.content_id, Content.type.label("content_type"), Content.parent_id,
    _parent.label.label("parent_label"), _parent.trashed_at.label("parent_trashed_at"),
    _parent.archived_at.label("parent_archived_at"), _parent.type.label("parent_content_type"),
    _parent.namespace.label("parent_content_namespace"), Revision.raw_content, Revision.description,
    Content.created, Content.modified, Content.current_revision_id, *author_columns, *modifier_columns,
)  # fmt: skip
_FROM = with_people(
    select(*_COLUMNS)
    .select_from(Content)
    .join(_parent, _parent.content_id == Content.parent_id)
    .join(Revision, Revision.revision_id == Content.current_revision_id)
).where(Content.type == "comment")
COMMENT_DETAIL = Statement(
    _FROM.where(
        Content.content_id == bindparam("content_id"), Content.parent_id == bindparam("parent_id"),
        Content.space_id == bindparam("space_id"),
    ),
    "CommentRow",
)  # fmt: skip
"""One comment of a content as the wire shows it; deleted ones too."""
SORTS = {"label": Content.sort_key, "modified": Content.modified, "created": Content.created}


def comments_statement(ctx: Context, sort: str, descending: bool, bookmark: str, limited: bool) -> Statement:
    """Return the statement of a content's comments in this order, deleted ones left out."""

    def build() -> Statement:
        column = SORTS[sort]
        down = descending != (bookmark == "<")
        query = _FROM.where(Content.parent_id == bindparam("parent_id"), Content.trashed_at.is_(None))
        if bookmark:
            query = query.where(from_bookmark(ctx.dialect, column, Content.content_id, descending=down))
        query = query.order_by(
            *((column.desc(), Content.content_id.desc()) if down else (column, Content.content_id))
        )
        if limited:
            query = query.limit(bindparam("limit", type_=Integer))
        return Statement(query, "CommentRow")

    return ctx.kernel.memo(("core_content.comments", sort, descending, bookmark, limited), build)


def place(row: Any, sort: str) -> tuple[Any, int]:
    """Return where a row stands in its order, for page tokens."""
    return ("" if sort == "label" else getattr(row, sort)), row.content_id


FIRST_COMMENT = Statement(
    select(Content.content_id, Revision.raw_content, Revision.created)
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .where(
        Content.parent_id == bindparam("parent_id"), Content.type == "comment", Content.trashed_at.is_(None)
    )
    .order_by(Content.created, Content.content_id)
    .limit(1),
    "FirstComment",
)  # fmt: skip
"""The oldest comment of a content that is not deleted."""
