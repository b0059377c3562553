"""On SQLite: indexes of names and of runs of three letters, and what is true of each content, quick to read.

Revision: s004, after s003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.plugins.search.engines.indexes.kinds import put_right
from atrio.plugins.search.engines.indexes.layout import (
    NAMES,
    PARTS,
    SQLITE_DROP_KINDS,
    SQLITE_FILL_NAMES,
    SQLITE_FILL_PARTS,
    SQLITE_KINDS,
    SQLITE_NAMES,
    sqlite_drop,
    sqlite_index,
)

revision = "s004"
down_revision = "s003"


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in (
            *SQLITE_NAMES,
            SQLITE_FILL_NAMES,
            *sqlite_index(PARTS),
            SQLITE_FILL_PARTS,
            *SQLITE_KINDS,
        ):
            op.execute(sa.text(statement))
        put_right(connection.execute)


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in (*sqlite_drop(NAMES), *sqlite_drop(PARTS), *SQLITE_DROP_KINDS):
            op.execute(sa.text(statement))
