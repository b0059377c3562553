"""Tables of accounts."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


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


class Token(Base):
    """A secret that was handed out once; the row holds its hash. `purpose` is `reset` or `access`."""

    __tablename__ = "accounts_token"
    __table_args__ = (
        Index("ix_accounts_token_user_id", "user_id", "purpose"),
        Index("ix_accounts_token_expires", "expires"),
    )

    token_hash: Mapped[str] = mapped_column(exact(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(exact(16))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    created: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int] = mapped_column(Timestamp)


class ApplicationToken(Base):
    """A password for one program or device of a user; the row holds its hash."""

    __tablename__ = "accounts_application_token"
    __table_args__ = (
        UniqueConstraint("token_hash", name="uq_accounts_application_token_hash"),
        Index("ix_accounts_application_token_user_id", "user_id"),
    )

    token_id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(exact(64))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(exact(255))
    created: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int | None] = mapped_column(Timestamp)
    last_used: Mapped[int | None] = mapped_column(Timestamp)


class Parameter(Base):
    """One setting that a client keeps for its user; `value` is JSON."""

    __tablename__ = "accounts_parameter"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(exact(255), primary_key=True)
    value: Mapped[str] = mapped_column(LongText)


class Properties(Base):
    """The custom properties of a user: one JSON document."""

    __tablename__ = "accounts_properties"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    document: Mapped[str] = mapped_column(LongText)


class Picture(Base):
    """The avatar or the cover of a user: a PNG in the blob store."""

    __tablename__ = "accounts_picture"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(exact(8), primary_key=True)
    digest: Mapped[str] = mapped_column(exact(64))
    size: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(Timestamp)


class Follow(Base):
    """A user follows another, the leader."""

    __tablename__ = "accounts_follow"
    __table_args__ = (Index("ix_accounts_follow_leader_id", "leader_id", "follower_id"),)

    follower_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    leader_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


MODELS = (User, Session, Token, ApplicationToken, Parameter, Properties, Picture, Follow)
