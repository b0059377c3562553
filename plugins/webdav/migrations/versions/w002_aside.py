"""Files kept aside, and names that were taken away a moment ago.

Revision: w002, after w001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "w002"
down_revision = "w001"


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["accounts_user.user_id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "webdav_scratch",
        sa.Column("scratch_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("parent", exact(24), nullable=False),
        sa.Column("name_key", exact(64), nullable=False),
        sa.Column("name", LongText, nullable=False),
        sa.Column("folder", sa.SmallInteger, nullable=False),
        sa.Column("digest", exact(64), nullable=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mimetype", exact(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("modified", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("scratch_id", name=op.f("pk_webdav_scratch")),
        sa.UniqueConstraint("user_id", "parent", "name_key", name="uq_webdav_scratch_name"),
        _user("webdav_scratch"),
        if_not_exists=True,
    )
    op.create_index("ix_webdav_scratch_modified", "webdav_scratch", ["modified"], if_not_exists=True)
    op.create_index("ix_webdav_scratch_parent", "webdav_scratch", ["parent"], if_not_exists=True)
    op.create_index("ix_webdav_scratch_digest", "webdav_scratch", ["digest"], if_not_exists=True)
    op.create_table(
        "webdav_absent",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("parent", exact(24), nullable=False),
        sa.Column("name_key", exact(64), nullable=False),
        sa.Column("content_id", Id, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("since", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "parent", "name_key", name=op.f("pk_webdav_absent")),
        _user("webdav_absent"),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_webdav_absent_content_id"),
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_webdav_absent_since", "webdav_absent", ["since"], if_not_exists=True)
    op.create_index("ix_webdav_absent_content", "webdav_absent", ["content_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    for name in ("webdav_absent", "webdav_scratch"):
        op.drop_table(name, if_exists=True)
