"""Favourite contents of users.

Revision: f001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "f001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "favorites_favorite",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("content_id", Id, autoincrement=False, nullable=False),
        sa.Column("original_label", sa.String(1024), nullable=False),
        sa.Column("original_type", exact(64), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "content_id", name=op.f("pk_favorites_favorite")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_favorites_favorite_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_favorites_favorite_content_id"),
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_favorites_favorite_content_id", "favorites_favorite", ["content_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("favorites_favorite", if_exists=True)
