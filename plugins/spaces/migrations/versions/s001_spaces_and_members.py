"""Spaces and members.

Revision: s001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "s001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "spaces_space",
        sa.Column("space_id", Id, autoincrement=True, nullable=False),
        sa.Column("label", sa.String(1024), nullable=False),
        sa.Column("slug", sa.String(1024), nullable=False),
        sa.Column("description", LongText, nullable=False),
        sa.Column("access_type", exact(16), nullable=False),
        sa.Column("default_role", sa.Integer, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("owner_id", Id, nullable=True),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("is_deleted", sa.Integer, nullable=False),
        sa.Column("agenda_enabled", sa.Integer, nullable=False),
        sa.Column("public_upload_enabled", sa.Integer, nullable=False),
        sa.Column("public_download_enabled", sa.Integer, nullable=False),
        sa.Column("publication_enabled", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_spaces_space")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["accounts_user.user_id"], name=op.f("fk_spaces_space_owner_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["spaces_space.space_id"], name=op.f("fk_spaces_space_parent_id"),
            ondelete="SET NULL",
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_spaces_space_parent_id", "spaces_space", ["parent_id"], if_not_exists=True)
    op.create_index("ix_spaces_space_owner_id", "spaces_space", ["owner_id"], if_not_exists=True)
    op.create_table(
        "spaces_member",
        sa.Column("space_id", Id, autoincrement=False, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("role", sa.Integer, nullable=False),
        sa.Column("email_notification_type", exact(16), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("space_id", "user_id", name=op.f("pk_spaces_member")),
        sa.ForeignKeyConstraint(
            ["space_id"],
            ["spaces_space.space_id"],
            name=op.f("fk_spaces_member_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_spaces_member_user_id"), ondelete="CASCADE"
        ),
        if_not_exists=True,
    )
    op.create_index("ix_spaces_member_user_id", "spaces_member", ["user_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("spaces_member", if_exists=True)
    op.drop_table("spaces_space", if_exists=True)
