"""Reactions to contents.

Revision: r001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "r001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reactions_reaction",
        sa.Column("reaction_id", Id, autoincrement=True, nullable=False),
        sa.Column("content_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("value", exact(255), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("reaction_id", name=op.f("pk_reactions_reaction")),
        sa.UniqueConstraint("content_id", "user_id", "value", name=op.f("uq_reactions_reaction_once")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_reactions_reaction_content_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_reactions_reaction_user_id"),
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_reactions_reaction_user_id", "reactions_reaction", ["user_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("reactions_reaction", if_exists=True)
