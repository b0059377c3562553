"""Table of calls."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Call(Base):
    """A call from one user to another; `room` is its place on the conference server."""

    __tablename__ = "calls_call"
    __table_args__ = (
        Index("ix_calls_call_caller_id", "caller_id", "state"),
        Index("ix_calls_call_callee_id", "callee_id", "state"),
        {"sqlite_autoincrement": True},
    )

    call_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    caller_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    callee_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(exact(16))
    room: Mapped[str] = mapped_column(exact(64))
    created: Mapped[int] = mapped_column(Timestamp)
    updated: Mapped[int] = mapped_column(Timestamp)


CALL = Base.metadata.tables["calls_call"]
