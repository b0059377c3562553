"""What the index has to be told of.

Revision: e001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "search_elastic_waiting",
        sa.Column("content_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_search_elastic_waiting")),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("search_elastic_waiting", if_exists=True)
