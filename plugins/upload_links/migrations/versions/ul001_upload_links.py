"""Upload links.

Revision: ul001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "ul001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "upload_links_link",
        sa.Column("link_id", Id, autoincrement=True, nullable=False),
        sa.Column("space_id", Id, nullable=False),
        sa.Column("author_id", Id, nullable=False),
        sa.Column("group_uuid", exact(36), nullable=False),
        sa.Column("token", exact(36), nullable=False),
        sa.Column("email", sa.String(600), nullable=False),
        sa.Column("password_hash", exact(255), nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("disabled", Timestamp, nullable=True),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_upload_links_link")),
        sa.UniqueConstraint("token", name="uq_upload_links_link_token"),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_upload_links_link_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts_user.user_id"], name=op.f("fk_upload_links_link_author_id"),
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index(
        "ix_upload_links_link_space_id", "upload_links_link", ["space_id", "disabled"], if_not_exists=True
    )
    op.create_index("ix_upload_links_link_author_id", "upload_links_link", ["author_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("upload_links_link", if_exists=True)
