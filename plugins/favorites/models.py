"""Table of favorites."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Favorite(Base):
    """A content that a user keeps at hand, with the name and type that it had then."""

    __tablename__ = "favorites_favorite"
    __table_args__ = (Index("ix_favorites_favorite_content_id", "content_id"),)

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    content_id: Mapped[int] = mapped_column(
        Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"), primary_key=True,
        autoincrement=False,
    )  # fmt: skip
    original_label: Mapped[str] = mapped_column(String(1024))
    original_type: Mapped[str] = mapped_column(exact(64))
    created: Mapped[int] = mapped_column(Timestamp)


FAVORITE = Base.metadata.tables["favorites_favorite"]
