"""Texts that are looked through, and what waits to be looked at again.

The indexes over them hold nothing of their own: a revision that changes a text makes them anew.

Revision: s001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongText, exact
from atrio.plugins.search.engines.indexes.layout import creation, removal

revision = "s001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXTS = ("label", "filename", "description", "body", "tags", "more", "comments", "todos", "file")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "search_text",
        sa.Column("content_id", ID, autoincrement=False, nullable=False),
        sa.Column("revision_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, LongText, nullable=False) for name in TEXTS),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_search_text")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["core_content_content.content_id"], ondelete="CASCADE",
            name=op.f("fk_search_text_content_id"),
        ),
        if_not_exists=True,
    )  # fmt: skip
    _words_of("search_person", "user_id", "accounts_user", ("public_name", "username", "custom_properties"))
    _words_of("search_place", "space_id", "spaces_space", ("label", "description"))
    op.create_table(
        "search_stale",
        sa.Column("kind", exact(16), nullable=False),
        sa.Column("item_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "item_id", name=op.f("pk_search_stale")),
        if_not_exists=True,
    )
    op.create_table(
        "search_state",
        sa.Column("name", exact(64), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_search_state")),
        if_not_exists=True,
    )
    for statement in creation(op.get_bind()):
        op.execute(statement)


def _words_of(table: str, key: str, other: str, columns: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column(key, ID, autoincrement=False, nullable=False),
        *(sa.Column(name, LongText, nullable=False) for name in columns),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            [key], [f"{other}.{key}"], ondelete="CASCADE", name=op.f(f"fk_{table}_{key}")
        ),
        if_not_exists=True,
    )  # fmt: skip


def downgrade() -> None:
    """Undo."""
    for statement in removal(op.get_bind()):
        op.execute(statement)
    for name in ("search_state", "search_stale", "search_place", "search_person", "search_text"):
        op.drop_table(name, if_exists=True)
