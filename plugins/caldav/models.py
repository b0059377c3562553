"""Tables of caldav: collections, what is in them, feeds."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongBytes, LongText, Timestamp, exact

HREF_LENGTH = 255
"""Longest name of an entry in characters."""


class Collection(Base):
    """A calendar or an address book of a user or of a space.

    The two that everybody has, and those of spaces, have a row from their first write on; until then they are
    empty. `path` names the collection among all (`user_1/user_1_calendar`). Every write of an entry or a property
    takes the next `seq`, under the lock of this row, so numbers rise in the order of commits. Changes up to
    `floor` are forgotten. `bytes` is the size of all entries. `props` holds, as JSON, what clients set; what they
    did not set is computed.
    """

    __tablename__ = "caldav_collection"
    __table_args__ = (
        UniqueConstraint("path", name="uq_caldav_collection_path"),
        Index("ix_caldav_collection_user_id", "user_id"),
        Index("ix_caldav_collection_space_id", "space_id"),
        {"sqlite_autoincrement": True},
    )

    collection_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    path: Mapped[str] = mapped_column(exact(300))
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    space_id: Mapped[int | None] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"))
    tag: Mapped[str] = mapped_column(exact(16))
    props: Mapped[str] = mapped_column(LongText)
    seq: Mapped[int] = mapped_column(BigInteger)
    floor: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(Timestamp)
    modified: Mapped[int] = mapped_column(Timestamp)
    bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Item(Base):
    """An entry with the client's own bytes; one that was deleted is a row without them.

    `uid_key` is the SHA-256 of the UID. `tstart` and `tend` enclose all its times, in seconds since 1970;
    `spans` are its first ones. `summary`, `description` and `location` are for searches alone, `words` are the
    three of them as they are compared.
    """

    __tablename__ = "caldav_item"
    __table_args__ = (
        Index("ix_caldav_item_uid_key", "collection_id", "uid_key"),
        Index("ix_caldav_item_seq", "collection_id", "seq"),
        Index("ix_caldav_item_times", "collection_id", "tstart", "tend"),
    )

    collection_id: Mapped[int] = mapped_column(
        Id,
        ForeignKey("caldav_collection.collection_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    href: Mapped[str] = mapped_column(exact(HREF_LENGTH), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    deleted: Mapped[int] = mapped_column(SmallInteger)
    modified: Mapped[int] = mapped_column(Timestamp)
    component: Mapped[str] = mapped_column(exact(16))
    tstart: Mapped[int] = mapped_column(BigInteger)
    tend: Mapped[int] = mapped_column(BigInteger)
    etag: Mapped[str] = mapped_column(exact(64))
    uid_key: Mapped[str | None] = mapped_column(exact(64))
    uid: Mapped[str] = mapped_column(LongText)
    spans: Mapped[bytes | None] = mapped_column(LongBytes)
    summary: Mapped[str | None] = mapped_column(LongText)
    description: Mapped[str | None] = mapped_column(LongText)
    location: Mapped[str | None] = mapped_column(LongText)
    words: Mapped[str | None] = mapped_column(LongText)
    body: Mapped[bytes | None] = mapped_column(LongBytes)


class Feed(Base):
    """An address under which whoever knows it reads a calendar; the row holds the hash of its token."""

    __tablename__ = "caldav_feed"
    __table_args__ = (
        UniqueConstraint("collection_id", "user_id", name="uq_caldav_feed_owner"),
        Index("ix_caldav_feed_user_id", "user_id"),
    )

    token_hash: Mapped[str] = mapped_column(exact(64), primary_key=True)
    collection_id: Mapped[int] = mapped_column(
        Id, ForeignKey("caldav_collection.collection_id", ondelete="CASCADE")
    )
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    created: Mapped[int] = mapped_column(Timestamp)


COLLECTION = Base.metadata.tables["caldav_collection"]
ITEM = Base.metadata.tables["caldav_item"]
FEED = Base.metadata.tables["caldav_feed"]
