"""Pages of a folder walk an index in each order.

Revision: c003
"""

from __future__ import annotations

from alembic import op

revision = "c003"
down_revision = "c002"
CONTENT = "core_content_content"
ORDERS = {"sort_key": "folder_sorted", "created": "folder_created", "modified": "folder_modified"}


def upgrade() -> None:
    """Apply."""
    for column, name in ORDERS.items():
        op.create_index(
            f"ix_core_content_content_{name}", CONTENT,
            ["space_id", "parent_key", "namespace", column, "content_id"], if_not_exists=True,
        )  # fmt: skip


def downgrade() -> None:
    """Undo."""
    for name in ORDERS.values():
        op.drop_index(f"ix_core_content_content_{name}", CONTENT, if_exists=True)
