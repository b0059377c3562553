"""On SQLite: an index of names alone, and what is true of each content in a form that is quick to read.

Revision: s004, after s003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.plugins.search.engines.indexes.kinds import put_right
from atrio.plugins.search.engines.indexes.layout import (
    NAMES,
    SQLITE_DROP_KINDS,
    SQLITE_FILL_NAMES,
    SQLITE_KINDS,
    SQLITE_NAMES,
    sqlite_drop,
)

revision = "s004"
down_revision = "s003"


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in (*SQLITE_NAMES, SQLITE_FILL_NAMES, *SQLITE_KINDS):
            op.execute(sa.text(statement))
        put_right(connection.execute)


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in (*sqlite_drop(NAMES), *SQLITE_DROP_KINDS):
            op.execute(sa.text(statement))
