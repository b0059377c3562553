"""Reads of the drive beyond what core_content offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, REVISION

_author, _author_is, _columns = digest_columns(CONTENT.c.author_id, "author")
COMMENTS = Statement(
    select(CONTENT.c.content_id, CONTENT.c.created, REVISION.c.raw_content, _author.public_name.label("author"))
    .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
    .outerjoin(_author, _author_is)
    .where(
        CONTENT.c.parent_id == bindparam("content_id"), CONTENT.c.type == "comment",
        CONTENT.c.trashed_at.is_(None),
    )
    .order_by(CONTENT.c.content_id),
    "ThreadComment",
)  # fmt: skip


def comments(ctx: Context, content_id: int) -> Sequence[Any]:
    """Return the comments of a thread, oldest first."""
    return COMMENTS.all(ctx, content_id=content_id)
