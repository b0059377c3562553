"""Tables of webdav: locks, the gate that lets one lock in at a time, dead properties, files kept aside."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact, ordered

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


PLACE = 24
"""Length of a place: `s` or `c` or `t` and an id."""


class Scratch(Base):
    """A helper file (or folder of such) that a program keeps on one user's drive; it is no content.

    `parent` is the place of the folder where it lies: `s3`, `c41`, another scratch folder `t9`, empty for the top.
    """

    __tablename__ = "webdav_scratch"
    __table_args__ = (
        UniqueConstraint("user_id", "parent", "name_key", name="uq_webdav_scratch_name"),
        Index("ix_webdav_scratch_modified", "modified"),
        Index("ix_webdav_scratch_parent", "parent"),
        Index("ix_webdav_scratch_digest", "digest"),
    )

    scratch_id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    parent: Mapped[str] = mapped_column(exact(PLACE))
    name_key: Mapped[str] = mapped_column(exact(64))
    name: Mapped[str] = mapped_column(LongText)
    folder: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[str | None] = mapped_column(exact(64))
    size: Mapped[int] = mapped_column(BigInteger)
    mimetype: Mapped[str] = mapped_column(exact(255))
    version: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Timestamp)
    modified: Mapped[int] = mapped_column(Timestamp)


class Absence(IntEnum):
    """Why a content is no longer found under a name."""

    TRASHED = 1
    MOVED = 2
    HIDDEN = 3
    """It is where it was, but whoever moved it aside under a helper's name does not see it for a moment."""


class Absent(Base):
    """A name that a user took away on the drive: who saves under it soon afterwards means the same content."""

    __tablename__ = "webdav_absent"
    __table_args__ = (Index("ix_webdav_absent_since", "since"), Index("ix_webdav_absent_content", "content_id"))

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    parent: Mapped[str] = mapped_column(exact(PLACE), primary_key=True)
    name_key: Mapped[str] = mapped_column(exact(64), primary_key=True)
    content_id: Mapped[int] = mapped_column(Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"))
    kind: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[int] = mapped_column(Timestamp)


GATE = Base.metadata.tables["webdav_lock_gate"]
LOCK = Base.metadata.tables["webdav_lock"]
PROPERTY = Base.metadata.tables["webdav_property"]
SCRATCH = Base.metadata.tables["webdav_scratch"]
ABSENT = Base.metadata.tables["webdav_absent"]
