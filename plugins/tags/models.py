"""Tables of tags."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Tag(Base):
    """A word of a space; its name is told apart byte by byte on every engine."""

    __tablename__ = "tags_tag"
    __table_args__ = (
        UniqueConstraint("space_id", "name", name="uq_tags_tag_name"),
        {"sqlite_autoincrement": True},
    )

    tag_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    space_id: Mapped[int] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(exact(255))


class Link(Base):
    """A tag on a content. Both lie in the same space: a content that moves takes tags of its new space."""

    __tablename__ = "tags_link"
    __table_args__ = (
        UniqueConstraint("content_id", "tag_id", name="uq_tags_link_once"),
        Index("ix_tags_link_tag_id", "tag_id"),
        {"sqlite_autoincrement": True},
    )

    link_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    content_id: Mapped[int] = mapped_column(Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"))
    tag_id: Mapped[int] = mapped_column(Id, ForeignKey("tags_tag.tag_id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    created: Mapped[int] = mapped_column(Timestamp)


TAG = Base.metadata.tables["tags_tag"]
LINK = Base.metadata.tables["tags_link"]
