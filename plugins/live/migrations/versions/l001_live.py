"""The log of events, inboxes, and histories to copy.

Revision: l001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "l001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "live_counter",
        sa.Column("counter_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("counter_id", name=op.f("pk_live_counter")),
        if_not_exists=True,
    )
    op.create_table(
        "live_event",
        sa.Column("event_id", Id, autoincrement=False, nullable=False),
        sa.Column("event_type", exact(100), nullable=False),
        sa.Column("kind", sa.BigInteger, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("space_id", Id, nullable=True),
        sa.Column("content_id", Id, nullable=True),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("shared", sa.SmallInteger, nullable=False),
        sa.Column("ends_user_id", Id, nullable=True),
        sa.Column("fields", LongText, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_live_event")),
        if_not_exists=True,
    )
    op.create_index("ix_live_event_space_id", "live_event", ["space_id", "event_id"], if_not_exists=True)
    op.create_index("ix_live_event_content_id", "live_event", ["content_id"], if_not_exists=True)
    op.create_index("ix_live_event_parent_id", "live_event", ["parent_id"], if_not_exists=True)
    op.create_table(
        "live_message",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("event_id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.BigInteger, nullable=False),
        sa.Column("space_id", Id, nullable=True),
        sa.Column("sent", sa.SmallInteger, nullable=False),
        sa.Column("read_at", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("user_id", "event_id", name=op.f("pk_live_message")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["live_event.event_id"], name=op.f("fk_live_message_event_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_live_message_event_id", "live_message", ["event_id"], if_not_exists=True)
    op.create_table(
        "live_history",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("space_id", Id, autoincrement=False, nullable=False),
        sa.Column("before_event", sa.BigInteger, nullable=False),
        sa.Column("remaining", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "space_id", name=op.f("pk_live_history")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_live_history_user_id"), ondelete="CASCADE"
        ),
        if_not_exists=True,
    )
    counter = sa.table("live_counter", sa.column("counter_id"), sa.column("value"))
    there = sa.select(sa.literal(1)).where(counter.c.counter_id == 1).exists()
    first = sa.select(sa.literal(1), sa.literal(0)).where(~there)
    op.execute(counter.insert().from_select(["counter_id", "value"], first))


def downgrade() -> None:
    """Undo."""
    for name in ("live_history", "live_message", "live_event", "live_counter"):
        op.drop_table(name, if_exists=True)
