"""Tables of accounts."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class User(Base):
    """An account; never deleted by the API, so that what it wrote keeps its author."""

    __tablename__ = "accounts_user"
    __table_args__ = (
        UniqueConstraint("email", name="uq_accounts_user_email"),
        UniqueConstraint("username", name="uq_accounts_user_username"),
        CheckConstraint("email IS NOT NULL OR username IS NOT NULL", name="has_login"),
        {"sqlite_autoincrement": True},
    )

    user_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    email: Mapped[str | None] = mapped_column(exact(255))
    username: Mapped[str | None] = mapped_column(exact(255))
    public_name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str | None] = mapped_column(exact(255))
    profile: Mapped[int] = mapped_column(Integer)
    auth_type: Mapped[str] = mapped_column(exact(16))
    lang: Mapped[str | None] = mapped_column(String(6))
    timezone: Mapped[str] = mapped_column(String(32))
    allowed_space: Mapped[int] = mapped_column(BigInteger)
    is_active: Mapped[int] = mapped_column(Integer)
    is_deleted: Mapped[int] = mapped_column(Integer)
    has_cover: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Timestamp)
    creation_type: Mapped[str] = mapped_column(exact(16))
    version: Mapped[int] = mapped_column(Integer)


class Session(Base):
    """A sign-in; the cookie holds the token, the row its hash."""

    __tablename__ = "accounts_session"
    __table_args__ = (
        Index("ix_accounts_session_user_id", "user_id"),
        Index("ix_accounts_session_expires", "expires"),
    )

    token_hash: Mapped[str] = mapped_column(exact(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    created: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int] = mapped_column(Timestamp)
