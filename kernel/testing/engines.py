"""The same tests on another database: ATRIO_TEST_ENGINE=postgresql or mariadb.

One database for each choice of plugins and each test process is created and initialised; between two tests
its rows are deleted, its counters set back and its first rows written again, which costs a tenth of a new one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    exists,
    insert,
    literal,
    select,
    text,
    union_all,
)


def chosen() -> str | None:
    """Return the engine that the environment asks for; None is SQLite."""
    return os.environ.get("ATRIO_TEST_ENGINE") or None


@dataclass
class Prepared:
    """An initialised database and the rows it was born with."""

    url: str
    engine: Engine
    tables: list[Table] = field(default_factory=list)
    first_rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def remember(self) -> None:
        """Note every row that is there now."""
        metadata = MetaData()
        with self.engine.begin() as connection:
            metadata.reflect(connection)
            self.tables = list(metadata.sorted_tables)
            for table in self.tables:
                rows = connection.execute(select(table)).mappings().all()
                self.first_rows[table.name] = [dict(row) for row in rows]

    def reset(self) -> None:
        """Bring the database back to its first rows."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                self._empty_postgresql(connection)
            else:
                self._empty_mariadb(connection)
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            for table in self.tables:
                if self.first_rows[table.name]:
                    connection.execute(insert(table), self.first_rows[table.name])
            if self.engine.dialect.name == "postgresql":
                self._set_counters(connection)

    def _used(self, connection: Connection) -> list[Table]:
        """Return the tables that hold anything: one question for all, most tests touch few."""
        asked = union_all(
            *(
                select(literal(n).label("number"), exists(select(literal(1)).select_from(t)).label("used"))
                for n, t in enumerate(self.tables)
            )
        )
        return [self.tables[row.number] for row in connection.execute(asked) if row.used]

    def _empty_postgresql(self, connection: Connection) -> None:
        """Delete rows without looking at keys: TRUNCATE would make new files for all that is connected."""
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in self._used(connection):
            connection.execute(table.delete())
            if table.autoincrement_column is not None:
                call = "SELECT setval(pg_get_serial_sequence(:t, :c), 1, false)"
                names = {"t": table.name, "c": table.autoincrement_column.name}
                connection.execute(text(call), names)
        connection.execute(text("SET LOCAL session_replication_role = origin"))

    def _set_counters(self, connection: Connection) -> None:
        for table in self.tables:
            rows = self.first_rows[table.name]
            column = table.autoincrement_column
            if rows and column is not None:
                highest = max(row[column.name] for row in rows)
                call = "SELECT setval(pg_get_serial_sequence(:t, :c), :n)"
                connection.execute(text(call), {"t": table.name, "c": column.name, "n": highest})

    def _empty_mariadb(self, connection: Connection) -> None:
        used = self._used(connection)
        connection.execute(text("SET foreign_key_checks = 0"))
        for table in used:
            connection.execute(table.delete())
            if table.autoincrement_column is not None:
                connection.execute(text(f"ALTER TABLE `{table.name}` AUTO_INCREMENT = 1"))
        connection.execute(text("SET foreign_key_checks = 1"))


def create(server: str) -> Prepared:
    """Create an empty database on a server."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"atrio_test_{secrets.token_hex(6)}"
    extra = "" if engine.dialect.name == "postgresql" else " CHARACTER SET utf8mb4"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{extra}"))
        if engine.dialect.name == "postgresql":  # nobody waits for the disk in a test
            connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    url = engine.url.set(database=name)
    engine.dispose()
    return Prepared(url.render_as_string(hide_password=False), create_engine(url))


def drop(server: str, prepared: Prepared) -> None:
    """Drop the database again."""
    prepared.engine.dispose()
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    force = " WITH (FORCE)" if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {prepared.engine.url.database}{force}"))
    engine.dispose()


class Databases:
    """The prepared databases of one test process, by the choice of plugins."""

    def __init__(self, server: str, initialise: Callable[[Path, dict[str, Any]], Any], folder: Path) -> None:
        self.server = server
        self.initialise = initialise
        self.folder = folder
        self.made: dict[str, Prepared] = {}

    def give(self, settings: dict[str, Any]) -> str:
        """Return the address of a database with these plugins' tables and nothing but the first rows."""
        choice = {k: v for k, v in settings.items() if k.startswith("plugins__")}
        key = repr(sorted(choice.items()))
        prepared = self.made.get(key)
        if prepared is None:
            prepared = self.made[key] = create(self.server)
            folder = self.folder / f"first-{len(self.made)}"
            folder.mkdir()
            self.initialise(folder, {**choice, "database__url": prepared.url})
            prepared.remember()
        else:
            prepared.reset()
        return prepared.url

    def close(self) -> None:
        """Drop them all."""
        for prepared in self.made.values():
            drop(self.server, prepared)
