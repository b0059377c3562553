"""Reads of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement

from .models import Session, User

COLUMNS = (
    User.user_id, User.email, User.username, User.public_name, User.profile, User.auth_type, User.lang,
    User.timezone, User.allowed_space, User.is_active, User.is_deleted, User.has_cover, User.created,
    User.version, User.password_hash,
)  # fmt: skip

BY_ID = Statement(select(*COLUMNS).where(User.user_id == bindparam("user_id")), "UserRow")
BY_EMAIL = Statement(select(*COLUMNS).where(User.email == bindparam("email")), "UserRow")
BY_USERNAME = Statement(select(*COLUMNS).where(User.username == bindparam("username")), "UserRow")
BY_SESSION = Statement(
    select(*COLUMNS, Session.created.label("session_created"), Session.expires.label("session_expires"))
    .join(Session, Session.user_id == User.user_id)
    .where(Session.token_hash == bindparam("token_hash"), Session.expires > bindparam("now")),
    "SessionUserRow",
)
ALL = Statement(
    select(*COLUMNS).where(User.is_deleted == bindparam("deleted")).order_by(
        func.lower(User.public_name), User.user_id
    ),
    "UserRow",
)  # fmt: skip


# No key of the row changes, so foreign keys that point at it need not wait (PostgreSQL).
LOCKED = select(User.user_id).where(User.user_id == bindparam("user_id")).with_for_update(key_share=True)


def by_login(ctx: Context, login: str) -> Any | None:
    """Return the user of a login: with `@` an e-mail address, else a username (spec: auth, §2)."""
    if "\x00" in login:  # PostgreSQL takes no such text
        return None
    if "@" in login:
        return BY_EMAIL.first(ctx, email=login.strip().lower())
    return BY_USERNAME.first(ctx, username=login)


def digest_columns(id_column: Any, prefix: str) -> tuple[Any, Any, list[Any]]:
    """Return (alias, join condition, columns `<prefix>__<field>`) for the digest of another table's user."""
    user = aliased(User, name=f"{prefix}_user")
    columns = [
        getattr(user, name).label(f"{prefix}__{name}")
        for name in ("user_id", "public_name", "username", "has_cover", "is_active")
    ]
    return user, user.user_id == id_column, columns


def counts(ctx: Context) -> Mapping[str, int]:
    """Return how many accounts there are, and how many are active."""
    row: Any = ctx.execute(select(func.count(), func.sum(User.is_active)).select_from(User)).one()
    return {"all": row[0], "active": row[1] or 0}


FIRST_ADMINISTRATOR = Statement(
    select(*COLUMNS)
    .where(User.profile == 3, User.is_active == 1, User.is_deleted == 0)
    .order_by(User.user_id)
    .limit(1),
    "UserRow",
)


def first_administrator(ctx: Context) -> Any | None:
    """Return the oldest active administrator: who acts for the command line when nobody is named."""
    return FIRST_ADMINISTRATOR.first(ctx)
