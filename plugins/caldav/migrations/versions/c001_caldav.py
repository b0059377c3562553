"""Collections, their entries, feeds.

Revision: c001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongBytes, LongText, Timestamp, exact

revision = "c001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "caldav_collection",
        sa.Column("collection_id", ID, autoincrement=True, nullable=False),
        sa.Column("path", exact(300), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("space_id", ID, nullable=True),
        sa.Column("tag", exact(16), nullable=False),
        sa.Column("props", LongText, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("modified", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_caldav_collection")),
        sa.UniqueConstraint("path", name="uq_caldav_collection_path"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], ondelete="CASCADE",
            name=op.f("fk_caldav_collection_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], ondelete="CASCADE",
            name=op.f("fk_caldav_collection_space_id"),
        ),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_caldav_collection_user_id", "caldav_collection", ["user_id"], if_not_exists=True)
    op.create_index("ix_caldav_collection_space_id", "caldav_collection", ["space_id"], if_not_exists=True)
    op.create_table(
        "caldav_item",
        sa.Column("collection_id", ID, autoincrement=False, nullable=False),
        sa.Column("href", exact(255), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.SmallInteger, nullable=False),
        sa.Column("modified", Timestamp, nullable=False),
        sa.Column("component", exact(16), nullable=False),
        sa.Column("tstart", sa.BigInteger, nullable=False),
        sa.Column("tend", sa.BigInteger, nullable=False),
        sa.Column("etag", exact(64), nullable=False),
        sa.Column("uid_key", exact(64), nullable=True),
        sa.Column("uid", LongText, nullable=False),
        sa.Column("spans", LongBytes, nullable=True),
        sa.Column("body", LongBytes, nullable=True),
        sa.PrimaryKeyConstraint("collection_id", "href", name=op.f("pk_caldav_item")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["caldav_collection.collection_id"], ondelete="CASCADE",
            name=op.f("fk_caldav_item_collection_id"),
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_caldav_item_uid_key", "caldav_item", ["collection_id", "uid_key"], if_not_exists=True)
    op.create_index("ix_caldav_item_seq", "caldav_item", ["collection_id", "seq"], if_not_exists=True)
    op.create_index("ix_caldav_item_times", "caldav_item", ["collection_id", "tstart", "tend"], if_not_exists=True)
    op.create_table(
        "caldav_feed",
        sa.Column("token_hash", exact(64), nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_caldav_feed")),
        sa.UniqueConstraint("collection_id", "user_id", name="uq_caldav_feed_owner"),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["caldav_collection.collection_id"], ondelete="CASCADE",
            name=op.f("fk_caldav_feed_collection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], ondelete="CASCADE", name=op.f("fk_caldav_feed_user_id")
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_caldav_feed_user_id", "caldav_feed", ["user_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    for name in ("caldav_feed", "caldav_item", "caldav_collection"):
        op.drop_table(name, if_exists=True)
