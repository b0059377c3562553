"""Greetings.

Revision: g001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "g001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hello_greeting",
        sa.Column("greeting_id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("sender_id", Id, nullable=True),
        sa.Column("text", LongText, nullable=False),
        sa.Column("reason", exact(64), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("greeting_id", name=op.f("pk_hello_greeting")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["accounts_user.user_id"],
            name=op.f("fk_hello_greeting_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sender_id"],
            ["accounts_user.user_id"],
            name=op.f("fk_hello_greeting_sender_id"),
            ondelete="SET NULL",
        ),
        sa.UniqueConstraint("reason", name=op.f("uq_hello_greeting_reason")),
        if_not_exists=True,
    )
    op.create_index("ix_hello_greeting_user_id", "hello_greeting", ["user_id"], if_not_exists=True)
    op.create_index("ix_hello_greeting_sender_id", "hello_greeting", ["sender_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("hello_greeting", if_exists=True)
