"""Table of reactions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Reaction(Base):
    """What a user thinks of a content, usually one emoji; emojis are told apart byte by byte on every engine."""

    __tablename__ = "reactions_reaction"
    __table_args__ = (
        UniqueConstraint("content_id", "user_id", "value", name="uq_reactions_reaction_once"),
        Index("ix_reactions_reaction_user_id", "user_id"),
        {"sqlite_autoincrement": True},
    )

    reaction_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    content_id: Mapped[int] = mapped_column(Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    value: Mapped[str] = mapped_column(exact(255))
    created: Mapped[int] = mapped_column(Timestamp)


REACTION = Base.metadata.tables["reactions_reaction"]
