"""Reads of upload_links."""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, case, literal, or_, select, type_coerce

from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.spaces.api import public_access

from .models import LINK

_author, _author_is, _author_columns = digest_columns(LINK.c.author_id, "author")
_has_password = type_coerce(case((LINK.c.password_hash.is_(None), 0), else_=1), Integer).label("has_password")
_LINKS = (
    select(
        LINK.c.link_id.label("upload_permission_id"), LINK.c.space_id.label("workspace_id"), LINK.c.author_id,
        literal("email").label("type"), LINK.c.email, LINK.c.token,
        LINK.c.group_uuid.label("upload_permission_group_uuid"), LINK.c.created, LINK.c.disabled,
        type_coerce(case((LINK.c.disabled.is_(None), 0), else_=1), Integer).label("is_disabled"), _has_password,
        *_author_columns,
    )
    .join(_author, _author_is)
    .where(LINK.c.space_id == bindparam("space_id"))
    .order_by(LINK.c.link_id)
)  # fmt: skip

OF_SPACE = Statement(
    _LINKS.where(or_(LINK.c.disabled.is_(None), bindparam("show_disabled", type_=Integer) == 1)), "LinkRow"
)
OF_GROUP = Statement(_LINKS.where(LINK.c.group_uuid == bindparam("group_uuid")), "LinkRow")

_space, _space_is, _space_columns = public_access(LINK.c.space_id)
BY_TOKEN = Statement(
    select(LINK.c.link_id, LINK.c.author_id, LINK.c.password_hash, _has_password, *_space_columns)
    .join(_space, _space_is)
    .where(LINK.c.token == bindparam("token"), LINK.c.disabled.is_(None)),
    "PublicLinkRow",
)
