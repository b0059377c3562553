"""The columns of a content on the wire, and the states that follow from trash and archive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Select, and_, case, func, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.order import byte_length
from atrio.plugins.accounts.api import digest_columns

from ..models import Content, Revision

author_of, author_is, author_columns = digest_columns(Content.author_id, "author")
modifier_of, modifier_is, modifier_columns = digest_columns(Content.last_modifier_id, "last_modifier")

EDITABLE = type_coerce(
    case(
        (
            and_(
                Content.status == "open",
                Content.trashed_at.is_(None),
                Content.archived_at.is_(None),
                Content.hidden_by.is_(None),
            ),
            1,
        ),
        else_=0,
    ),
    Integer,
)
VISIBLE = and_(Content.trashed_at.is_(None), Content.archived_at.is_(None), Content.hidden_by.is_(None))
"""Neither trashed nor archived, nor below such a content."""
_hider = aliased(Content, name="hider")


def _own_or_hidden(own: Any, hiders: Any) -> Any:
    """Return 1 for a content in this state, or below one that is; the subquery runs for hidden rows only."""
    above = (
        select(case((hiders.is_(None), 0), else_=1))
        .where(_hider.content_id == Content.hidden_by)
        .correlate(Content)
        .scalar_subquery()
    )
    return type_coerce(
        case((own.is_not(None), 1), (Content.hidden_by.is_(None), 0), else_=func.coalesce(above, 0)), Integer
    )


TRASHED = _own_or_hidden(Content.trashed_at, _hider.trashed_at)
ARCHIVED = _own_or_hidden(Content.archived_at, _hider.archived_at)

DIGEST = (
    Content.content_id, Content.space_id.label("workspace_id"), Content.parent_id, Content.label.label("label"),
    Content.slug, Content.filename, Content.file_extension, Content.type.label("content_type"),
    Content.namespace.label("content_namespace"), Content.status, ARCHIVED.label("is_archived"),
    TRASHED.label("is_deleted"), Content.is_template, EDITABLE.label("is_editable"),
    Content.sub_content_types, Content.current_revision_id, Content.current_revision_type, Content.created,
    Content.modified, Content.assignee_id, *author_columns, *modifier_columns, Content.trashed_at,
    Content.archived_at,
)  # fmt: skip
DETAIL = (
    Content.version_number, Revision.description, Revision.raw_content, Revision.mimetype,
    func.coalesce(Revision.size, byte_length(Revision.raw_content)).label("size"),
    Revision.digest, Revision.size.label("stored_size"), Content.parent_key, Content.name_key,
    Content.hidden_by,
)  # fmt: skip


def with_people(query: Select[Any]) -> Select[Any]:
    """Join author and last modifier."""
    return query.outerjoin(author_of, author_is).outerjoin(modifier_of, modifier_is)


def contributed(ctx: Context) -> list[Any]:
    """Return the columns that other plugins fill."""
    return list(ctx.kernel.contributed("content", Content.content_id).values())
