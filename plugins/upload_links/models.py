"""Table of upload links."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class UploadLink(Base):
    """A link by which one address may put files into a space, in the name of who made it.

    The token stands as it is: whoever manages the contents of the space is shown the link again. Those of one
    request form a group and have its password. A disabled link keeps its row.
    """

    __tablename__ = "upload_links_link"
    __table_args__ = (
        UniqueConstraint("token", name="uq_upload_links_link_token"),
        Index("ix_upload_links_link_space_id", "space_id", "disabled"),
        Index("ix_upload_links_link_author_id", "author_id"),
        {"sqlite_autoincrement": True},
    )

    link_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    space_id: Mapped[int] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    group_uuid: Mapped[str] = mapped_column(exact(36))
    token: Mapped[str] = mapped_column(exact(36))
    email: Mapped[str] = mapped_column(String(600))
    password_hash: Mapped[str | None] = mapped_column(exact(255))
    created: Mapped[int] = mapped_column(Timestamp)
    disabled: Mapped[int | None] = mapped_column(Timestamp)


LINK = Base.metadata.tables["upload_links_link"]
