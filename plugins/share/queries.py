"""Reads of share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, case, func, literal, or_, select, type_coerce

from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, REVISION
from atrio.plugins.spaces.api import public_access

from .models import SHARE

_author, _author_is, _author_columns = digest_columns(SHARE.c.author_id, "author")
_has_password = type_coerce(case((SHARE.c.password_hash.is_(None), 0), else_=1), Integer).label("has_password")
_COLUMNS = (
    SHARE.c.share_id, SHARE.c.content_id, SHARE.c.author_id, literal("email").label("type"), SHARE.c.email,
    SHARE.c.token.label("share_token"), SHARE.c.group_uuid.label("share_group_uuid"), SHARE.c.created,
    SHARE.c.disabled, type_coerce(case((SHARE.c.disabled.is_(None), 0), else_=1), Integer).label("is_disabled"),
    _has_password, CONTENT.c.filename, *_author_columns,
)  # fmt: skip
_SHARES = (
    select(*_COLUMNS)
    .join(_author, _author_is)
    .join(CONTENT, CONTENT.c.content_id == SHARE.c.content_id)
    .where(SHARE.c.content_id == bindparam("content_id"))
    .order_by(SHARE.c.share_id)
)

OF_CONTENT = Statement(
    _SHARES.where(or_(SHARE.c.disabled.is_(None), bindparam("show_disabled", type_=Integer) == 1)), "ShareRow"
)
OF_GROUP = Statement(_SHARES.where(SHARE.c.group_uuid == bindparam("group_uuid")), "ShareRow")
ENABLED = Statement(
    select(SHARE.c.share_id).where(
        SHARE.c.share_id == bindparam("share_id"), SHARE.c.content_id == bindparam("content_id"),
        SHARE.c.disabled.is_(None),
    ),
    "EnabledRow",
)  # fmt: skip

_space, _space_is, _space_columns = public_access(CONTENT.c.space_id)
BY_TOKEN = Statement(
    select(
        SHARE.c.share_id, SHARE.c.content_id, SHARE.c.author_id, SHARE.c.password_hash, _has_password,
        CONTENT.c.filename.label("content_filename"), CONTENT.c.file_extension.label("content_file_extension"),
        CONTENT.c.label.label("content_label"), CONTENT.c.trashed_at, CONTENT.c.hidden_by, CONTENT.c.modified,
        REVISION.c.digest, REVISION.c.size.label("content_size"), REVISION.c.mimetype, *_space_columns,
        *_author_columns,
    )
    .join(_author, _author_is)
    .join(CONTENT, CONTENT.c.content_id == SHARE.c.content_id)
    .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
    .join(_space, _space_is)
    .where(SHARE.c.token == bindparam("token"), SHARE.c.disabled.is_(None)),
    "PublicShareRow",
)  # fmt: skip


def active_shares(content_id: Any) -> Any:
    """Return the SQL expression of how many shares of a content are enabled."""
    return (
        select(func.count())
        .select_from(SHARE)
        .where(SHARE.c.content_id == content_id, SHARE.c.disabled.is_(None))
        .scalar_subquery()
    )
