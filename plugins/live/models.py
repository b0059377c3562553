"""Tables of live: the log of events, and who got which."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


class Counter(Base):
    """One row: the id of the last event. Who takes the next one holds the row until his commit."""

    __tablename__ = "live_counter"

    counter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class LiveEvent(Base):
    """Something that was told, once, whoever got it. Ids have no gap and rise in the order of commits.

    `kind` is the number of the type; `shared` is 1 for what new members get as history; a row with
    `ends_user_id` tells nobody anything and ends that user's streams.
    """

    __tablename__ = "live_event"
    __table_args__ = (
        Index("ix_live_event_space_id", "space_id", "event_id"),
        Index("ix_live_event_content_id", "content_id"),
        Index("ix_live_event_parent_id", "parent_id"),
    )

    event_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    event_type: Mapped[str] = mapped_column(exact(100))
    kind: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(Timestamp)
    author_id: Mapped[int | None] = mapped_column(Id)
    space_id: Mapped[int | None] = mapped_column(Id)
    content_id: Mapped[int | None] = mapped_column(Id)
    parent_id: Mapped[int | None] = mapped_column(Id)
    shared: Mapped[int] = mapped_column(SmallInteger)
    ends_user_id: Mapped[int | None] = mapped_column(Id)
    fields: Mapped[str] = mapped_column(LongText)


class Message(Base):
    """An event in the inbox of a user; `sent` is 0 for the history that a new member got.

    The user is no foreign key: a check of it would lock the row of every receiver for every message.
    """

    __tablename__ = "live_message"
    __table_args__ = (
        Index("ix_live_message_event_id", "event_id"),
        {"sqlite_with_rowid": False},
    )

    user_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(
        Id, ForeignKey("live_event.event_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[int] = mapped_column(BigInteger)
    space_id: Mapped[int | None] = mapped_column(Id)
    sent: Mapped[int] = mapped_column(SmallInteger)
    read_at: Mapped[int | None] = mapped_column(Timestamp)


class History(Base):
    """What is still to be copied for who joined a space: events before `before_event`, `remaining` (-1: all)."""

    __tablename__ = "live_history"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    space_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    before_event: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(Integer)


COUNTER = Base.metadata.tables["live_counter"]
EVENT = Base.metadata.tables["live_event"]
MESSAGE = Base.metadata.tables["live_message"]
HISTORY = Base.metadata.tables["live_history"]
