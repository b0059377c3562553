"""Table of shares."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Share(Base):
    """A link to the current bytes of a file, given to one address.

    The token stands as it is: whoever manages the contents of the space is shown the link again. Those of one
    request form a group and have its password. A disabled share keeps its row.
    """

    __tablename__ = "share_share"
    __table_args__ = (
        UniqueConstraint("token", name="uq_share_share_token"),
        Index("ix_share_share_content_id", "content_id", "disabled"),
        Index("ix_share_share_author_id", "author_id"),
        {"sqlite_autoincrement": True},
    )

    share_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    content_id: Mapped[int] = mapped_column(Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    group_uuid: Mapped[str] = mapped_column(exact(36))
    token: Mapped[str] = mapped_column(exact(36))
    email: Mapped[str] = mapped_column(String(600))
    password_hash: Mapped[str | None] = mapped_column(exact(255))
    created: Mapped[int] = mapped_column(Timestamp)
    disabled: Mapped[int | None] = mapped_column(Timestamp)


SHARE = Base.metadata.tables["share_share"]
