"""Table of uploads that go on where they broke off."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


class PartialUpload(Base):
    """An upload that was announced: whose it is, where it is to go, and what became of it.

    How much of it came is the size of its file and stands nowhere else, so that the two cannot disagree. What it
    is to go to (`parent_id`, or `target_id` for new bytes of a file) is looked up when it is finished. `concat` is
    the header of that name: `partial` for a part that becomes no content by itself.
    """

    __tablename__ = "resumable_upload"
    __table_args__ = (
        UniqueConstraint("token", name="uq_resumable_upload_token"),
        Index("ix_resumable_upload_owner_id", "owner_id", "finished"),
        Index("ix_resumable_upload_space_id", "space_id"),
        Index("ix_resumable_upload_expires", "expires"),
        {"sqlite_autoincrement": True},
    )

    upload_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    token: Mapped[str] = mapped_column(exact(32))
    owner_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    space_id: Mapped[int] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"))
    length: Mapped[int] = mapped_column(BigInteger)
    filename: Mapped[str] = mapped_column(String(1279))
    media: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(exact(64))
    namespace: Mapped[str] = mapped_column(exact(16))
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    target_id: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[str] = mapped_column(LongText)
    concat: Mapped[str] = mapped_column(LongText)
    created: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int] = mapped_column(Timestamp)
    finished: Mapped[int | None] = mapped_column(Timestamp)
    content_id: Mapped[int | None] = mapped_column(BigInteger)


UPLOAD = Base.metadata.tables["resumable_upload"]
