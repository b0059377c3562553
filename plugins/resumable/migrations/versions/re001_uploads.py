"""Uploads that go on where they broke off.

Revision: re001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "re001"
down_revision = None
INDEXES = {
    "ix_resumable_upload_owner_id": ["owner_id", "finished"],
    "ix_resumable_upload_space_id": ["space_id"],
    "ix_resumable_upload_expires": ["expires"],
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "resumable_upload",
        sa.Column("upload_id", Id, autoincrement=True, nullable=False),
        sa.Column("token", exact(32), nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("space_id", Id, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("filename", sa.String(1279), nullable=False),
        sa.Column("media", sa.String(255), nullable=False),
        sa.Column("content_type", exact(64), nullable=False),
        sa.Column("namespace", exact(16), nullable=False),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        sa.Column("target_id", sa.BigInteger, nullable=True),
        sa.Column("told", LongText, nullable=False),
        sa.Column("concat", LongText, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=False),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("content_id", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_resumable_upload")),
        sa.UniqueConstraint("token", name="uq_resumable_upload_token"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["accounts_user.user_id"], name=op.f("fk_resumable_upload_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_resumable_upload_space_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    for name, columns in INDEXES.items():
        op.create_index(name, "resumable_upload", columns, if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("resumable_upload", if_exists=True)
