"""Users and sessions.

Revision: a001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "a001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts_user",
        sa.Column("user_id", Id, autoincrement=True, nullable=False),
        sa.Column("email", exact(255), nullable=True),
        sa.Column("username", exact(255), nullable=True),
        sa.Column("public_name", sa.String(255), nullable=False),
        sa.Column("password_hash", exact(255), nullable=True),
        sa.Column("profile", sa.Integer, nullable=False),
        sa.Column("auth_type", exact(16), nullable=False),
        sa.Column("lang", sa.String(6), nullable=True),
        sa.Column("timezone", sa.String(32), nullable=False),
        sa.Column("allowed_space", sa.BigInteger, nullable=False),
        sa.Column("is_active", sa.Integer, nullable=False),
        sa.Column("is_deleted", sa.Integer, nullable=False),
        sa.Column("has_cover", sa.Integer, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("creation_type", exact(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_accounts_user")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_user_email")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_user_username")),
        sa.CheckConstraint("email IS NOT NULL OR username IS NOT NULL", name=op.f("ck_accounts_user_has_login")),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_table(
        "accounts_session",
        sa.Column("token_hash", exact(64), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_accounts_session")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_accounts_session_user_id"),
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_accounts_session_user_id", "accounts_session", ["user_id"], if_not_exists=True)
    op.create_index("ix_accounts_session_expires", "accounts_session", ["expires"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("accounts_session", if_exists=True)
    op.drop_table("accounts_user", if_exists=True)
