"""Shares of files.

Revision: sh001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "sh001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "share_share",
        sa.Column("share_id", Id, autoincrement=True, nullable=False),
        sa.Column("content_id", Id, nullable=False),
        sa.Column("author_id", Id, nullable=False),
        sa.Column("group_uuid", exact(36), nullable=False),
        sa.Column("token", exact(36), nullable=False),
        sa.Column("email", sa.String(600), nullable=False),
        sa.Column("password_hash", exact(255), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("disabled", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("share_id", name=op.f("pk_share_share")),
        sa.UniqueConstraint("token", name="uq_share_share_token"),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_share_share_content_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts_user.user_id"], name=op.f("fk_share_share_author_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_share_share_content_id", "share_share", ["content_id", "disabled"], if_not_exists=True)
    op.create_index("ix_share_share_author_id", "share_share", ["author_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("share_share", if_exists=True)
