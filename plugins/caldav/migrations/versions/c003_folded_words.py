"""The words of entries as they are compared, and none of entries that were deleted.

Revision: c003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import LongText

revision = "c003"
down_revision = "c002"
TEXTS = ("summary", "description", "location")
PAGE = 500
ITEM = sa.table(
    "caldav_item", sa.column("collection_id"), sa.column("href"), sa.column("deleted"), sa.column("words"),
    *(sa.column(name) for name in TEXTS),
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("caldav_item")}
    if "words" not in there:
        op.add_column("caldav_item", sa.Column("words", LongText, nullable=True))
    op.execute(sa.update(ITEM).where(ITEM.c.deleted != 0).values(dict.fromkeys(TEXTS)))
    _fold_words()


def _fold_words() -> None:
    from atrio.plugins.caldav.words import Words

    connection = op.get_bind()
    missing = (
        sa.select(ITEM.c.collection_id, ITEM.c.href, *(ITEM.c[name] for name in TEXTS))
        .where(ITEM.c.deleted == 0, ITEM.c.words.is_(None))
        .limit(PAGE)
    )
    store = sa.update(ITEM).where(ITEM.c.collection_id == sa.bindparam("of"), ITEM.c.href == sa.bindparam("name"))
    while rows := connection.execute(missing).all():
        values = [
            {"of": row[0], "name": row[1], "folded": Words(*(text or "" for text in row[2:])).folded}
            for row in rows
        ]  # fmt: skip
        connection.execute(store.values(words=sa.bindparam("folded")), values)


def downgrade() -> None:
    """Undo."""
    op.drop_column("caldav_item", "words")
