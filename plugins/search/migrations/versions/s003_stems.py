"""Words and their stems, in the languages that the operator names.

Revision: s003, after s002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import exact

revision = "s003"
down_revision = "s002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "search_stem",
        sa.Column("stem", exact(64), nullable=False),
        sa.Column("language", exact(16), nullable=False),
        sa.Column("word", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("stem", "language", "word", name=op.f("pk_search_stem")),
        if_not_exists=True,
    )
    op.create_index("ix_search_stem_word", "search_stem", ["word", "language"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("search_stem", if_exists=True)
