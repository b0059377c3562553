"""Passwords for single programs.

Revision: a003, after a002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "a003"
down_revision = "a002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts_application_token",
        sa.Column("token_id", Id, nullable=False),
        sa.Column("token_hash", exact(64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("label", exact(255), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=True),
        sa.Column("last_used", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_accounts_application_token")),
        sa.UniqueConstraint("token_hash", name="uq_accounts_application_token_hash"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_accounts_application_token_user_id"),
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index(
        "ix_accounts_application_token_user_id", "accounts_application_token", ["user_id"], if_not_exists=True
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("accounts_application_token", if_exists=True)
