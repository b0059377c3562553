"""Locks with their gate, and dead properties.

Revision: w001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongText, Timestamp, exact, ordered

revision = "w001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webdav_lock_gate",
        sa.Column("gate_id", sa.Integer, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("gate_id", name=op.f("pk_webdav_lock_gate")),
        if_not_exists=True,
    )
    op.create_table(
        "webdav_lock",
        sa.Column("token", exact(64), nullable=False),
        sa.Column("path_key", exact(64), nullable=False),
        sa.Column("head", ordered(255), nullable=False),
        sa.Column("path", LongText, nullable=False),
        sa.Column("deep", sa.SmallInteger, nullable=False),
        sa.Column("exclusive", sa.SmallInteger, nullable=False),
        sa.Column("principal", exact(255), nullable=False),
        sa.Column("owner", LongText, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_webdav_lock")),
        if_not_exists=True,
    )
    op.create_index("ix_webdav_lock_path_key", "webdav_lock", ["path_key"], if_not_exists=True)
    op.create_index("ix_webdav_lock_head", "webdav_lock", ["head"], if_not_exists=True)
    op.create_index("ix_webdav_lock_expires", "webdav_lock", ["expires"], if_not_exists=True)
    op.create_table(
        "webdav_property",
        sa.Column("resource", exact(100), nullable=False),
        sa.Column("name_key", exact(64), nullable=False),
        sa.Column("name", LongText, nullable=False),
        sa.Column("value", LongText, nullable=False),
        sa.PrimaryKeyConstraint("resource", "name_key", name=op.f("pk_webdav_property")),
        if_not_exists=True,
    )
    gate = sa.table("webdav_lock_gate", sa.column("gate_id"))
    there = sa.select(sa.literal(1)).where(gate.c.gate_id == 1).exists()
    op.execute(gate.insert().from_select(["gate_id"], sa.select(sa.literal(1)).where(~there)))


def downgrade() -> None:
    """Undo."""
    for name in ("webdav_property", "webdav_lock", "webdav_lock_gate"):
        op.drop_table(name, if_exists=True)
