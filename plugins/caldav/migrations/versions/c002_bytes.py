"""Bytes of the entries of each collection, so that they count in quotas without being summed up.

Revision: c002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c002"
down_revision = "c001"


def upgrade() -> None:
    """Apply."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("caldav_collection")}
    if "bytes" in columns:
        return
    op.add_column("caldav_collection", sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"))
    collection, item = (
        sa.table("caldav_collection", sa.column("collection_id"), sa.column("bytes")),
        sa.table("caldav_item", sa.column("collection_id"), sa.column("body")),
    )
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(item.c.body)), 0))
        .where(item.c.collection_id == collection.c.collection_id)
        .scalar_subquery()
    )
    op.execute(sa.update(collection).values(bytes=held))


def downgrade() -> None:
    """Undo."""
    op.drop_column("caldav_collection", "bytes")
