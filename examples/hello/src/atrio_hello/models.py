"""Table of hello."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


class Greeting(Base):
    """A greeting; `reason` names what caused an automatic one, so that it is written once."""

    __tablename__ = "hello_greeting"
    __table_args__ = (
        UniqueConstraint("reason", name="uq_hello_greeting_reason"),
        Index("ix_hello_greeting_user_id", "user_id"),
        Index("ix_hello_greeting_sender_id", "sender_id"),
    )

    greeting_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    sender_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(LongText)
    reason: Mapped[str | None] = mapped_column(exact(64))
    created: Mapped[int] = mapped_column(Timestamp)
