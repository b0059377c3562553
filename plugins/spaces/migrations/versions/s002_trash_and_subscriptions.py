"""The moment a space was trashed, and requests to become a member.

Revision: s002, after s001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "s002"
down_revision = "s001"


def upgrade() -> None:
    """Apply."""
    if "deleted_at" not in _columns():  # MariaDB keeps what a revision that failed half-way did
        op.add_column("spaces_space", sa.Column("deleted_at", Timestamp, nullable=True))
    op.create_table(
        "spaces_subscription",
        sa.Column("space_id", Id, autoincrement=False, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", exact(16), nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("evaluated", Timestamp, nullable=True),
        sa.Column("evaluator_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("space_id", "user_id", name=op.f("pk_spaces_subscription")),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_spaces_subscription_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_spaces_subscription_user_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["evaluator_id"], ["accounts_user.user_id"], name=op.f("fk_spaces_subscription_evaluator_id"),
            ondelete="SET NULL",
        ),
        if_not_exists=True,
    )  # fmt: skip
    for column in ("user_id", "evaluator_id"):
        op.create_index(f"ix_spaces_subscription_{column}", "spaces_subscription", [column], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("spaces_subscription", if_exists=True)
    if "deleted_at" in _columns():
        op.drop_column("spaces_space", "deleted_at")


def _columns() -> set[str]:
    return {c["name"] for c in sa.inspect(op.get_bind()).get_columns("spaces_space")}
