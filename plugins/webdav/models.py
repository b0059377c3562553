"""Tables of webdav: locks, the gate that lets one lock in at a time, dead properties."""

from __future__ import annotations

from sqlalchemy import Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, LongText, Timestamp, exact, ordered

HEAD = 255
"""How many characters of a path are indexed for the search of what lies below another path."""


class LockGate(Base):
    """One row. Who creates or refreshes a lock holds it until his commit, so that two never judge at once."""

    __tablename__ = "webdav_lock_gate"

    gate_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class DavLock(Base):
    """A lock on a path, for the path alone or (`deep`) for everything below it too.

    A path may be longer than an index takes: `path_key`, its SHA-256, finds a path and its ancestors, `head`,
    its beginning, in the order of code points, finds what lies below.
    """

    __tablename__ = "webdav_lock"
    __table_args__ = (
        Index("ix_webdav_lock_path_key", "path_key"),
        Index("ix_webdav_lock_head", "head"),
        Index("ix_webdav_lock_expires", "expires"),
    )

    token: Mapped[str] = mapped_column(exact(64), primary_key=True)
    path_key: Mapped[str] = mapped_column(exact(64))
    head: Mapped[str] = mapped_column(ordered(HEAD))
    path: Mapped[str] = mapped_column(LongText)
    deep: Mapped[int] = mapped_column(SmallInteger)
    exclusive: Mapped[int] = mapped_column(SmallInteger)
    principal: Mapped[str] = mapped_column(exact(255))
    owner: Mapped[str] = mapped_column(LongText)
    created: Mapped[int] = mapped_column(Timestamp)
    expires: Mapped[int] = mapped_column(Timestamp)


class DavProperty(Base):
    """A dead property: XML that a client left on a resource. `name_key` is the SHA-256 of its name.

    Resources are opaque keys (`content:12`, `space:3`), for other plugins may add trees of their own; whoever
    deletes a resource for good drops its properties.
    """

    __tablename__ = "webdav_property"

    resource: Mapped[str] = mapped_column(exact(100), primary_key=True)
    name_key: Mapped[str] = mapped_column(exact(64), primary_key=True)
    name: Mapped[str] = mapped_column(LongText)
    value: Mapped[str] = mapped_column(LongText)


GATE = Base.metadata.tables["webdav_lock_gate"]
LOCK = Base.metadata.tables["webdav_lock"]
PROPERTY = Base.metadata.tables["webdav_property"]
