"""Tags of spaces and their links to contents.

Revision: t001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, Timestamp, exact

revision = "t001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tags_tag",
        sa.Column("tag_id", Id, autoincrement=True, nullable=False),
        sa.Column("space_id", Id, nullable=False),
        sa.Column("name", exact(255), nullable=False),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_tags_tag")),
        sa.UniqueConstraint("space_id", "name", name=op.f("uq_tags_tag_name")),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_tags_tag_space_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_table(
        "tags_link",
        sa.Column("link_id", Id, autoincrement=True, nullable=False),
        sa.Column("content_id", Id, nullable=False),
        sa.Column("tag_id", Id, nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_tags_link")),
        sa.UniqueConstraint("content_id", "tag_id", name=op.f("uq_tags_link_once")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_tags_link_content_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags_tag.tag_id"], name=op.f("fk_tags_link_tag_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts_user.user_id"], name=op.f("fk_tags_link_author_id"), ondelete="SET NULL"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_tags_link_tag_id", "tags_link", ["tag_id"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("tags_link", if_exists=True)
    op.drop_table("tags_tag", if_exists=True)
