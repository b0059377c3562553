"""The outbox, leases, periodic slots and blobs.

Revision: k001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongText, Timestamp, exact

revision = "k001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "kernel_outbox",
        sa.Column("id", exact(32), nullable=False),
        sa.Column("job", exact(128), nullable=False),
        sa.Column("event", exact(128), nullable=True),
        sa.Column("payload", LongText, nullable=False),
        sa.Column("facts", LongText, nullable=False),
        sa.Column("state", exact(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("holder", exact(255), nullable=True),
        sa.Column("leased_until", Timestamp, nullable=True),
        sa.Column("available", Timestamp, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("error", LongText, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_outbox")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_kernel_outbox_state_available", "kernel_outbox", ["state", "available"], if_not_exists=True
    )
    op.create_table(
        "kernel_lease",
        sa.Column("name", exact(128), nullable=False),
        sa.Column("holder", exact(255), nullable=False),
        sa.Column("until", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kernel_lease")),
        if_not_exists=True,
    )
    op.create_table(
        "kernel_periodic",
        sa.Column("task", exact(128), nullable=False),
        sa.Column("slot", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_kernel_periodic")),
        if_not_exists=True,
    )
    op.create_table(
        "kernel_blob",
        sa.Column("digest", exact(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kernel_blob")),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Undo."""
    for table in ("kernel_blob", "kernel_periodic", "kernel_lease", "kernel_outbox"):
        op.drop_table(table, if_exists=True)
