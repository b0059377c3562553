"""Reads of mentions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.core_content.api import REVISION
from atrio.plugins.spaces.api import member_ids

NAMED = 200
"""Ids that are named in a statement; of more the members are read whole."""

BEFORE = Statement(
    select(REVISION.c.raw_content)
    .where(
        REVISION.c.content_id == bindparam("content_id"), REVISION.c.version_number < bindparam("version_number")
    )
    .order_by(REVISION.c.version_number.desc())
    .limit(1),
    "TextBefore",
)


def text_before(ctx: Context, content_id: int, version_number: int) -> str:
    """Return the text that a content had before a version; empty for the first."""
    return BEFORE.value(ctx, content_id=content_id, version_number=version_number) or ""


def members_among(ctx: Context, space_id: int, user_ids: Collection[int]) -> set[int]:
    """Return which of these users are members of a space, in one statement."""
    query = member_ids(space_id)
    if len(user_ids) <= NAMED:
        query = query.where(query.selected_columns.user_id.in_(user_ids))
    return set(ctx.execute(query).scalars())
