"""Who is online where, the gate of the limit, and who hides.

Revision: pr001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "pr001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "presence_online",
        sa.Column("process", exact(128), nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("opened", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("process", "user_id", name=op.f("pk_presence_online")),
        sqlite_with_rowid=False, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_presence_online_user_id", "presence_online", ["user_id"], if_not_exists=True)
    op.create_table(
        "presence_gate",
        sa.Column("gate_id", sa.Integer, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("gate_id", name=op.f("pk_presence_gate")),
        if_not_exists=True,
    )
    op.create_table(
        "presence_preference",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("hidden", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_presence_preference")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_presence_preference_user_id"), ondelete="CASCADE"
        ),
        if_not_exists=True,
    )
    gate = sa.table("presence_gate", sa.column("gate_id"))
    there = sa.select(sa.literal(1)).where(gate.c.gate_id == 1).exists()
    op.execute(gate.insert().from_select(["gate_id"], sa.select(sa.literal(1)).where(~there)))


def downgrade() -> None:
    """Undo."""
    for name in ("presence_preference", "presence_gate", "presence_online"):
        op.drop_table(name, if_exists=True)
