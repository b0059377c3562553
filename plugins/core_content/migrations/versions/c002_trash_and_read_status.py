"""Hidden descendants of trashed contents, and what each user has read.

Revision: c002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, ordered
from atrio.kernel.text import fold

revision = "c002"
down_revision = "c001"
CONTENT = "core_content_content"


def upgrade() -> None:
    """Apply."""
    columns = {c["name"] for c in sa.inspect(op.get_bind()).get_columns(CONTENT)}
    if "hidden_by" not in columns:  # MariaDB keeps what a revision that failed half-way did
        op.add_column(CONTENT, sa.Column("hidden_by", sa.BigInteger, nullable=True))
    if "sort_key" not in columns:
        op.add_column(CONTENT, sa.Column("sort_key", ordered(700), nullable=False, server_default=""))
    _fill_sort_keys()
    op.drop_index("ix_core_content_content_listed", CONTENT, if_exists=True)
    for name in ("sorted", "created", "modified"):
        op.create_index(
            f"ix_core_content_content_{name}", CONTENT,
            ["space_id", "namespace", "sort_key" if name == "sorted" else name, "content_id"],
            if_not_exists=True,
        )  # fmt: skip
    op.create_index("ix_core_content_content_hidden_by", CONTENT, ["hidden_by"], if_not_exists=True)
    op.create_index("ix_core_content_content_assignee_id", CONTENT, ["assignee_id"], if_not_exists=True)
    op.create_index(
        "ix_core_content_revision_author", "core_content_revision", ["author_id", "space_id"], if_not_exists=True
    )
    op.create_table(
        "core_content_read",
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("content_id", Id, autoincrement=False, nullable=False),
        sa.Column("revision_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "content_id", name=op.f("pk_core_content_read")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_core_content_read_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], name=op.f("fk_core_content_read_content_id"),
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_core_content_read_content_id", "core_content_read", ["content_id"], if_not_exists=True)


def _fill_sort_keys() -> None:
    table = sa.table(CONTENT, sa.column("content_id"), sa.column("label"), sa.column("sort_key"))
    connection = op.get_bind()
    change = (
        table.update().where(table.c.content_id == sa.bindparam("key")).values(sort_key=sa.bindparam("folded"))
    )
    last = 0
    while rows := connection.execute(
        sa.select(table.c.content_id, table.c.label)
        .where(table.c.content_id > last, table.c.label != "")
        .order_by(table.c.content_id)
        .limit(1000)
    ).all():
        connection.execute(change, [{"key": r.content_id, "folded": fold(r.label)[:700]} for r in rows])
        last = rows[-1].content_id


def downgrade() -> None:
    """Undo."""
    op.drop_table("core_content_read", if_exists=True)
    if op.get_bind().dialect.name in ("mysql", "mariadb"):
        op.create_index(
            "fk_core_content_revision_author_id", "core_content_revision", ["author_id"], if_not_exists=True
        )
    op.drop_index("ix_core_content_revision_author", "core_content_revision", if_exists=True)
    if op.get_bind().dialect.name in ("mysql", "mariadb"):  # a foreign key there needs an index of its own
        op.create_index("fk_core_content_content_assignee_id", CONTENT, ["assignee_id"], if_not_exists=True)
    op.drop_index("ix_core_content_content_assignee_id", CONTENT, if_exists=True)
    op.drop_index("ix_core_content_content_hidden_by", CONTENT, if_exists=True)
    op.create_index(
        "ix_core_content_content_listed", CONTENT, ["space_id", "namespace", "label", "content_id"],
        mysql_length={"label": 255}, mariadb_length={"label": 255}, if_not_exists=True,
    )  # fmt: skip
    for name in ("sorted", "created", "modified"):
        op.drop_index(f"ix_core_content_content_{name}", CONTENT, if_exists=True)
    op.drop_column(CONTENT, "sort_key")
    op.drop_column(CONTENT, "hidden_by")
