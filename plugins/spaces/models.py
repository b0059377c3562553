"""Tables of spaces."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


class Space(Base):
    """A space; its settings are columns here, whichever plugin reads them.

    A trashed space keeps its label; the wire shows another one made of it and of `deleted_at`.
    """

    __tablename__ = "spaces_space"
    __table_args__ = (
        Index("ix_spaces_space_parent_id", "parent_id"),
        Index("ix_spaces_space_owner_id", "owner_id"),
        {"sqlite_autoincrement": True},
    )

    space_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    label: Mapped[str] = mapped_column(String(1024))
    slug: Mapped[str] = mapped_column(String(1024))
    description: Mapped[str] = mapped_column(LongText)
    access_type: Mapped[str] = mapped_column(exact(16))
    default_role: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Timestamp)
    owner_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="SET NULL"))
    is_deleted: Mapped[int] = mapped_column(Integer)
    deleted_at: Mapped[int | None] = mapped_column(Timestamp)
    agenda_enabled: Mapped[int] = mapped_column(Integer)
    public_upload_enabled: Mapped[int] = mapped_column(Integer)
    public_download_enabled: Mapped[int] = mapped_column(Integer)
    publication_enabled: Mapped[int] = mapped_column(Integer)


class Member(Base):
    """A user's role in a space."""

    __tablename__ = "spaces_member"
    __table_args__ = (Index("ix_spaces_member_user_id", "user_id"),)

    space_id: Mapped[int] = mapped_column(
        Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    role: Mapped[int] = mapped_column(Integer)
    email_notification_type: Mapped[str] = mapped_column(exact(16))
    created: Mapped[int] = mapped_column(Timestamp)


class Subscription(Base):
    """A user's request to become a member of a space that takes members on request; one a user and space."""

    __tablename__ = "spaces_subscription"
    __table_args__ = (
        Index("ix_spaces_subscription_user_id", "user_id"),
        Index("ix_spaces_subscription_evaluator_id", "evaluator_id"),
    )

    space_id: Mapped[int] = mapped_column(
        Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    state: Mapped[str] = mapped_column(exact(16))
    created: Mapped[int] = mapped_column(Timestamp)
    evaluated: Mapped[int | None] = mapped_column(Timestamp)
    evaluator_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))


SPACE = Base.metadata.tables["spaces_space"]
MEMBER = Base.metadata.tables["spaces_member"]
