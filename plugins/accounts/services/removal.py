"""The end of an account: without its person, or without the row."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, or_, update

from atrio.kernel.context import Context

from .. import queries
from ..config import AccountsConfig
from ..errors import UserNotFound
from ..events import UserAnonymized, UserModified, UserPurged, UserTrashed
from ..models import Follow, Parameter, Picture, Properties, User
from .access import end_access

PERSONAL = (Parameter, Properties, Picture)


def anonymize_user(ctx: Context, user_id: int, name: str | None = None) -> None:
    """Take the person out of an account: what it wrote keeps an author, who is nobody any more.

    Logins, name, language, pictures, custom properties and follows go; sessions and tokens end; the account
    is disabled and deleted, and cannot sign in again.
    """
    row = queries.BY_ID.first(ctx, user_id=user_id)
    if row is None:
        raise UserNotFound
    ctx.execute(
        update(User)
        .where(User.user_id == user_id)
        .values(
            email=f"anonymous_{secrets.token_hex(16)}@anonymous.local", username=None, password_hash=None,
            public_name=name or ctx.config[AccountsConfig].anonymized_name, lang=None, timezone="", has_cover=0,
            is_active=0, is_deleted=1, version=User.version + 1,
        )
    )  # fmt: skip
    for table in PERSONAL:
        ctx.execute(delete(table).where(table.user_id == user_id))
    ctx.execute(delete(Follow).where(or_(Follow.follower_id == user_id, Follow.leader_id == user_id)))
    end_access(ctx, user_id)
    if not row.is_deleted:
        ctx.emit(UserTrashed(user_id))
    ctx.emit(UserAnonymized(user_id))
    ctx.emit(UserModified(user_id, ("email", "username", "public_name", "avatar", "cover", "custom_properties")))


def purge_user(ctx: Context, user_id: int) -> None:
    """Delete the row of an account; what other plugins own of it goes or stays by their ON DELETE rules."""
    end_access(ctx, user_id)
    gone = ctx.execute(delete(User).where(User.user_id == user_id))
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise UserNotFound
    ctx.emit(UserPurged(user_id))
