"""Tables of presence."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact


class Online(Base):
    """A user with a stream in a process. The process renews its rows; one that died leaves them to expire.

    The user is no foreign key: a check of it would lock his row for as long as the unit that notes him lasts.
    """

    __tablename__ = "presence_online"
    __table_args__ = (
        Index("ix_presence_online_user_id", "user_id"),
        {"sqlite_with_rowid": False},
    )

    process: Mapped[str] = mapped_column(exact(128), primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    opened: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int] = mapped_column(Timestamp)


class Gate(Base):
    """One row: whoever comes in while there is a limit holds it, so that all processes count in turn."""

    __tablename__ = "presence_gate"

    gate_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class Preference(Base):
    """What a user chose; `hidden` is 1 for who shows nobody whether he is online."""

    __tablename__ = "presence_preference"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hidden: Mapped[int] = mapped_column(SmallInteger)


ONLINE = Base.metadata.tables["presence_online"]
GATE = Base.metadata.tables["presence_gate"]
PREFERENCE = Base.metadata.tables["presence_preference"]
