"""Bytes of the entries of each collection, for quotas; title, description and place of each entry, for searches.

Revision: c002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongText

revision = "c002"
down_revision = "c001"
WORDS = ("summary", "description", "location")
PAGE = 500
COLLECTION = sa.table("caldav_collection", sa.column("collection_id"), sa.column("bytes"))
ITEM = sa.table(
    "caldav_item", sa.column("collection_id"), sa.column("href"), sa.column("deleted"), sa.column("body"),
    *(sa.column(name) for name in WORDS),
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    known = sa.inspect(op.get_bind())
    if "bytes" not in {column["name"] for column in known.get_columns("caldav_collection")}:
        op.add_column("caldav_collection", sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"))
    there = {column["name"] for column in known.get_columns("caldav_item")}
    for name in WORDS:
        if name not in there:
            op.add_column("caldav_item", sa.Column(name, LongText, nullable=True))
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(ITEM.c.body)), 0))
        .where(ITEM.c.collection_id == COLLECTION.c.collection_id)
        .scalar_subquery()
    )
    op.execute(sa.update(COLLECTION).values(bytes=held))
    _read_words()


def _read_words() -> None:
    from atrio.plugins.caldav.words import words_of

    connection = op.get_bind()
    missing = (
        sa.select(ITEM.c.collection_id, ITEM.c.href, ITEM.c.body)
        .where(ITEM.c.deleted == 0, ITEM.c.summary.is_(None), ITEM.c.body.is_not(None))
        .limit(PAGE)
    )
    store = sa.update(ITEM).where(ITEM.c.collection_id == sa.bindparam("of"), ITEM.c.href == sa.bindparam("name"))
    while rows := connection.execute(missing).all():
        values = [
            {"of": row.collection_id, "name": row.href}
            | words_of(bytes(row.body).decode("utf-8", "replace"))._asdict()
            for row in rows
        ]
        connection.execute(store.values({name: sa.bindparam(name) for name in WORDS}), values)


def downgrade() -> None:
    """Undo."""
    for name in WORDS:
        op.drop_column("caldav_item", name)
    op.drop_column("caldav_collection", "bytes")
