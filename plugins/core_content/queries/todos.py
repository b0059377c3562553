"""Reads of to-dos: contents without a name, with an assignee, below another content."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.spaces.api import member_space_ids, space_label

from ..models import Content, Revision
from .columns import VISIBLE, author_columns, author_is, author_of

_parent = aliased(Content, name="owner")
_assignee, _assignee_is, _assignee_columns = digest_columns(Content.assignee_id, "assignee")
_space, _space_is, _space_label = space_label(Content.space_id)
_COLUMNS = (
    Content.content_id, _parent.content_id.label("parent__content_id"),
    _parent.type.label("parent__content_type"), _parent.label.label("parent__label"),
    _parent.slug.label("parent__slug"), _parent.trashed_at.label("parent__trashed_at"),
    _parent.archived_at.label("parent__archived_at"), Revision.raw_content, *author_columns,
    *_assignee_columns, Content.created, Content.status,
    Content.space_id.label("workspace__workspace_id"), _space_label.label("workspace__label"),
    Content.current_revision_id,
)  # fmt: skip
_FROM = (
    select(*_COLUMNS)
    .select_from(Content)
    .join(_parent, _parent.content_id == Content.parent_id)
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .join(_space, _space_is)
    .outerjoin(author_of, author_is)
    .outerjoin(_assignee, _assignee_is)
    .where(Content.type == "todo")
)
TODO_DETAIL = Statement(
    _FROM.where(
        Content.content_id == bindparam("content_id"), Content.parent_id == bindparam("parent_id"),
        Content.space_id == bindparam("space_id"),
    ),
    "TodoRow",
)  # fmt: skip
"""One to-do of a content as the wire shows it; deleted ones too."""
TODOS_OF_CONTENT = Statement(
    _FROM.where(Content.parent_id == bindparam("parent_id"), Content.trashed_at.is_(None)).order_by(
        Content.content_id
    ),
    "TodoRow",
)
TODOS_OF_USER = Statement(
    _FROM.where(
        Content.assignee_id == bindparam("assignee_id"), VISIBLE,
        Content.space_id.in_(member_space_ids(bindparam("user_id"))),
    ).order_by(Content.content_id),
    "TodoRow",
)  # fmt: skip
"""What is assigned to a user, as far as another user may see it."""
