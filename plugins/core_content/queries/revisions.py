"""Reads of revisions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, func, select, type_coerce

from atrio.kernel.context import Context
from atrio.kernel.db.order import by_code_point, from_bookmark
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns

from ..models import Content, Revision
from .columns import EDITABLE

_writer, _writer_is, _writer_columns = digest_columns(Revision.author_id, "author")
LAST = type_coerce(
    case((and_(Revision.revision_id == Content.current_revision_id, EDITABLE == 1), 1), else_=0), Integer
)
REVISION = (
    Revision.revision_id, Revision.content_id, Revision.version_number, Revision.revision_type,
    Revision.created, Revision.created.label("modified"), Content.space_id.label("workspace_id"),
    Revision.parent_id, Revision.label.label("label"), Revision.file_extension, Revision.status,
    Revision.sub_content_types, Revision.is_template, Revision.is_archived, Revision.is_deleted,
    LAST.label("is_editable"), Revision.description, Revision.raw_content, Revision.digest, Revision.size,
    Revision.mimetype, Content.type.label("content_type"), Content.assignee_id, *_writer_columns,
)  # fmt: skip
_FROM_REVISION = (
    select(*REVISION)
    .select_from(Revision)
    .join(Content, Content.content_id == Revision.content_id)
    .outerjoin(_writer, _writer_is)
)
ONE_REVISION = Statement(
    _FROM_REVISION.where(Revision.revision_id == bindparam("revision_id")), "RevisionRow"
)  # fmt: skip
REVISION_SORTS = {
    "label": by_code_point(Revision.label),
    "modified": Revision.created,
    "created": Revision.created,
}


def revisions_statement(ctx: Context, sort: str, descending: bool, bookmark: str, limited: bool) -> Statement:
    """Return the statement of a content's revisions in this order; built once for an instance."""

    def build() -> Statement:
        column = REVISION_SORTS[sort]
        down = descending != (bookmark == "<")
        query = _FROM_REVISION.where(Revision.content_id == bindparam("content_id"))
        if bookmark:
            query = query.where(from_bookmark(ctx.dialect, column, Revision.revision_id, descending=down))
        query = query.order_by(
            *((column.desc(), Revision.revision_id.desc()) if down else (column, Revision.revision_id))
        )
        if limited:
            query = query.limit(bindparam("limit", type_=Integer))
        return Statement(query, "RevisionRow")

    return ctx.kernel.memo(("core_content.revisions", sort, descending, bookmark, limited), build)


def authored_revisions(user_id: Any) -> Any:
    """Return the SQL expression of how many revisions a user has written."""
    return select(func.count()).where(Revision.author_id == user_id).scalar_subquery()


def authored_spaces(user_id: Any) -> Any:
    """Return the SQL expression of in how many spaces a user has written."""
    return select(func.count(Revision.space_id.distinct())).where(Revision.author_id == user_id).scalar_subquery()
