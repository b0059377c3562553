"""The shared alembic environment.

It takes what it needs from the config attributes that `atrio.kernel.db.migrate` sets: the connection, the
version table of the lineage, and the prefix of its tables, so that autogenerate sees only its own.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from atrio.kernel.db.base import Base


def run() -> None:
    """Run the revisions on the connection that was handed over."""
    attributes = context.config.attributes
    prefix: str = attributes["prefix"]

    def include_name(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or bool(name and name.startswith(f"{prefix}_"))

    def include_object(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return kind != "table" or bool(name and name.startswith(f"{prefix}_"))

    context.configure(
        connection=attributes["connection"],
        target_metadata=Base.metadata,
        version_table=attributes["version_table"],
        include_name=include_name,
        include_object=include_object,
        render_as_batch=True,
        transactional_ddl=False,
        on_version_apply=attributes.get("on_version_apply"),
    )
    context.run_migrations()


run()
