"""Tokens, parameters, custom properties, pictures and follows.

Revision: a002, after a001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "a002"
down_revision = "a001"


def _user(table: str, column: str = "user_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["accounts_user.user_id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts_token",
        sa.Column("token_hash", exact(64), nullable=False),
        sa.Column("purpose", exact(16), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("expires", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_accounts_token")),
        _user("accounts_token"),
        if_not_exists=True,
    )
    op.create_index("ix_accounts_token_user_id", "accounts_token", ["user_id", "purpose"], if_not_exists=True)
    op.create_index("ix_accounts_token_expires", "accounts_token", ["expires"], if_not_exists=True)
    op.create_table(
        "accounts_parameter",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("name", exact(255), nullable=False),
        sa.Column("value", LongText, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_accounts_parameter")),
        _user("accounts_parameter"),
        if_not_exists=True,
    )
    op.create_table(
        "accounts_properties",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("document", LongText, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_accounts_properties")),
        _user("accounts_properties"),
        if_not_exists=True,
    )
    op.create_table(
        "accounts_picture",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", exact(8), nullable=False),
        sa.Column("digest", exact(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_accounts_picture")),
        _user("accounts_picture"),
        if_not_exists=True,
    )
    op.create_table(
        "accounts_follow",
        sa.Column("follower_id", Id, autoincrement=False, nullable=False),
        sa.Column("leader_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("follower_id", "leader_id", name=op.f("pk_accounts_follow")),
        _user("accounts_follow", "follower_id"),
        _user("accounts_follow", "leader_id"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_accounts_follow_leader_id", "accounts_follow", ["leader_id", "follower_id"], if_not_exists=True
    )


def downgrade() -> None:
    """Undo."""
    for table in ("follow", "picture", "properties", "parameter", "token"):
        op.drop_table(f"accounts_{table}", if_exists=True)
