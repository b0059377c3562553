"""Contents and revisions.

Revision: c001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "c001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "core_content_content",
        sa.Column("content_id", Id, autoincrement=True, nullable=False),
        sa.Column("space_id", Id, nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("parent_key", sa.BigInteger, nullable=False),
        sa.Column("namespace", exact(16), nullable=False),
        sa.Column("name_key", exact(64), nullable=True),
        sa.Column("type", exact(64), nullable=False),
        sa.Column("label", sa.String(1024), nullable=False),
        sa.Column("file_extension", sa.String(255), nullable=False),
        sa.Column("filename", sa.String(1279), nullable=False),
        sa.Column("slug", sa.String(1024), nullable=False),
        sa.Column("status", exact(32), nullable=False),
        sa.Column("sub_content_types", LongText, nullable=False),
        sa.Column("is_template", sa.Integer, nullable=False),
        sa.Column("trashed_at", Timestamp, nullable=True),
        sa.Column("archived_at", Timestamp, nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("last_modifier_id", Id, nullable=True),
        sa.Column("assignee_id", Id, nullable=True),
        sa.Column("current_revision_id", sa.BigInteger, nullable=False),
        sa.Column("current_revision_type", exact(32), nullable=False),
        sa.Column("version_number", sa.Integer, nullable=False),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("modified", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_core_content_content")),
        sa.UniqueConstraint(
            "space_id", "parent_key", "namespace", "name_key", name=op.f("uq_core_content_content_name")
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_core_content_content_space_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["core_content_content.content_id"],
            name=op.f("fk_core_content_content_parent_id"), ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["accounts_user.user_id"], name=op.f(f"fk_core_content_content_{column}"),
                ondelete="SET NULL",
            )
            for column in ("author_id", "last_modifier_id", "assignee_id")
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index(
        "ix_core_content_content_parent", "core_content_content", ["parent_id", "type", "content_id"],
        if_not_exists=True,
    )  # fmt: skip
    op.create_index(
        "ix_core_content_content_listed", "core_content_content",
        ["space_id", "namespace", "label", "content_id"], if_not_exists=True,
        mysql_length={"label": 255}, mariadb_length={"label": 255},
    )  # fmt: skip
    op.create_index("ix_core_content_content_author_id", "core_content_content", ["author_id"], if_not_exists=True)
    op.create_table(
        "core_content_revision",
        sa.Column("revision_id", Id, autoincrement=True, nullable=False),
        sa.Column("content_id", Id, nullable=False),
        sa.Column("version_number", sa.Integer, nullable=False),
        sa.Column("revision_type", exact(32), nullable=False),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("space_id", sa.BigInteger, nullable=False),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        sa.Column("label", sa.String(1024), nullable=False),
        sa.Column("file_extension", sa.String(255), nullable=False),
        sa.Column("status", exact(32), nullable=False),
        sa.Column("sub_content_types", LongText, nullable=False),
        sa.Column("is_template", sa.Integer, nullable=False),
        sa.Column("is_archived", sa.Integer, nullable=False),
        sa.Column("is_deleted", sa.Integer, nullable=False),
        sa.Column("description", LongText, nullable=False),
        sa.Column("raw_content", LongText, nullable=False),
        sa.Column("digest", exact(64), nullable=True),
        sa.Column("size", sa.BigInteger, nullable=True),
        sa.Column("mimetype", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_core_content_revision")),
        sa.UniqueConstraint(
            "content_id", "version_number", name=op.f("uq_core_content_revision_number")
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"],
            name=op.f("fk_core_content_revision_content_id"), ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["accounts_user.user_id"], name=op.f("fk_core_content_revision_author_id"),
            ondelete="SET NULL",
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_core_content_revision_digest", "core_content_revision", ["digest"], if_not_exists=True)


def downgrade() -> None:
    """Undo."""
    op.drop_table("core_content_revision", if_exists=True)
    op.drop_table("core_content_content", if_exists=True)
