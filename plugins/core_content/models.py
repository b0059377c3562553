"""Tables of core_content.

The current state of a content is one row with its indexes; history lives in revisions, and so do the texts:
lists never read them. The tree is adjacency, a rename or a move touches one row.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact, ordered

SORT_KEY = 700
"""Characters of a label that take part in its order and in searches for it: what an index of MariaDB holds."""


class Content(Base):
    """The current state of a content.

    `parent_key` is the parent's id or 0, so that the root takes part in the uniqueness of names; `name_key`
    is null for comments, to-dos, trashed and archived rows, whose names are free. `hidden_by` is the nearest
    trashed or archived ancestor: set by one UPDATE over the subtree, cleared by its restore. `sort_key` is the
    label without case and accents, so that order and search are the same on every engine.
    """

    __tablename__ = "core_content_content"
    __table_args__ = (
        UniqueConstraint("space_id", "parent_key", "namespace", "name_key", name="uq_core_content_content_name"),
        Index("ix_core_content_content_parent", "parent_id", "type", "content_id"),
        Index("ix_core_content_content_sorted", "space_id", "namespace", "sort_key", "content_id"),
        Index("ix_core_content_content_created", "space_id", "namespace", "created", "content_id"),
        Index("ix_core_content_content_modified", "space_id", "namespace", "modified", "content_id"),
        *(
            Index(
                f"ix_core_content_content_folder_{name}",
                "space_id", "parent_key", "namespace", column, "content_id",
            )
            for name, column in (("sorted", "sort_key"), ("created", "created"), ("modified", "modified"))
        ),
        Index("ix_core_content_content_author_id", "author_id"),
        Index("ix_core_content_content_hidden_by", "hidden_by"),
        Index("ix_core_content_content_assignee_id", "assignee_id"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    content_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    space_id: Mapped[int] = mapped_column(Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE")
    )
    parent_key: Mapped[int] = mapped_column(BigInteger)
    namespace: Mapped[str] = mapped_column(exact(16))
    name_key: Mapped[str | None] = mapped_column(exact(64))
    type: Mapped[str] = mapped_column(exact(64))
    label: Mapped[str] = mapped_column(String(1024))
    sort_key: Mapped[str] = mapped_column(ordered(SORT_KEY), server_default="")
    file_extension: Mapped[str] = mapped_column(String(255))
    filename: Mapped[str] = mapped_column(String(1279))
    slug: Mapped[str] = mapped_column(String(1024))
    status: Mapped[str] = mapped_column(exact(32))
    sub_content_types: Mapped[str] = mapped_column(LongText)
    is_template: Mapped[int] = mapped_column(Integer)
    trashed_at: Mapped[int | None] = mapped_column(Timestamp)
    archived_at: Mapped[int | None] = mapped_column(Timestamp)
    hidden_by: Mapped[int | None] = mapped_column(BigInteger)
    author_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    last_modifier_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL")
    )
    assignee_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    current_revision_id: Mapped[int] = mapped_column(BigInteger)
    current_revision_type: Mapped[str] = mapped_column(exact(32))
    version_number: Mapped[int] = mapped_column(Integer)
    created: Mapped[int] = mapped_column(Timestamp)
    modified: Mapped[int] = mapped_column(Timestamp)


class Revision(Base):
    """One state of a content; never changed."""

    __tablename__ = "core_content_revision"
    __table_args__ = (
        UniqueConstraint("content_id", "version_number", name="uq_core_content_revision_number"),
        Index("ix_core_content_revision_digest", "digest"),
        Index("ix_core_content_revision_author", "author_id", "space_id"),
        {"sqlite_autoincrement": True},
    )

    revision_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    content_id: Mapped[int] = mapped_column(Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"))
    version_number: Mapped[int] = mapped_column(Integer)
    revision_type: Mapped[str] = mapped_column(exact(32))
    author_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="SET NULL"))
    created: Mapped[int] = mapped_column(Timestamp)
    space_id: Mapped[int] = mapped_column(BigInteger)
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(String(1024))
    file_extension: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(exact(32))
    sub_content_types: Mapped[str] = mapped_column(LongText)
    is_template: Mapped[int] = mapped_column(Integer)
    is_archived: Mapped[int] = mapped_column(Integer)
    is_deleted: Mapped[int] = mapped_column(Integer)
    description: Mapped[str] = mapped_column(LongText)
    raw_content: Mapped[str] = mapped_column(LongText)
    digest: Mapped[str | None] = mapped_column(exact(64))
    size: Mapped[int | None] = mapped_column(BigInteger)
    mimetype: Mapped[str] = mapped_column(String(255))


class Read(Base):
    """Up to which revision a user has read a content."""

    __tablename__ = "core_content_read"
    __table_args__ = (Index("ix_core_content_read_content_id", "content_id"),)

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    content_id: Mapped[int] = mapped_column(
        Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"), primary_key=True,
        autoincrement=False,
    )  # fmt: skip
    revision_id: Mapped[int] = mapped_column(BigInteger)


CONTENT = Base.metadata.tables["core_content_content"]
REVISION = Base.metadata.tables["core_content_revision"]
READ = Base.metadata.tables["core_content_read"]
