"""The kernel's own lineage, and the one alembic environment that every plugin's lineage runs in."""
