"""What came of reading files, and of which bytes the texts of contents are.

Revision: s002, after s001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import exact

revision = "s002"
down_revision = "s001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "search_extract",
        sa.Column("bytes_digest", exact(64), nullable=False),
        sa.Column("version", exact(64), nullable=False),
        sa.Column("outcome", exact(16), nullable=False),
        sa.Column("truncated", sa.Integer, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("detail", sa.String(250), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("bytes_digest", name=op.f("pk_search_extract")),
        if_not_exists=True,
    )
    op.create_table(
        "search_file",
        sa.Column("content_id", ID, autoincrement=False, nullable=False),
        sa.Column("bytes_digest", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_search_file")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["search_text.content_id"], ondelete="CASCADE",
            name=op.f("fk_search_file_content_id"),
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_search_file_digest", "search_file", ["bytes_digest"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    for name in ("search_file", "search_extract"):
        op.drop_table(name, if_exists=True)
