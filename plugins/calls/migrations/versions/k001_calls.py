"""Calls between users.

Revision: k001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "k001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calls_call",
        sa.Column("call_id", Id, autoincrement=True, nullable=False),
        sa.Column("caller_id", Id, nullable=False),
        sa.Column("callee_id", Id, nullable=False),
        sa.Column("state", exact(16), nullable=False),
        sa.Column("room", exact(64), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("updated", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_calls_call")),
        sa.ForeignKeyConstraint(
            ["caller_id"], ["accounts_user.user_id"], name=op.f("fk_calls_call_caller_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["callee_id"], ["accounts_user.user_id"], name=op.f("fk_calls_call_callee_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_calls_call_caller_id", "calls_call", ["caller_id", "state"], if_not_exists=True)
    op.create_index("ix_calls_call_callee_id", "calls_call", ["callee_id", "state"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("calls_call", if_exists=True)
