"""One alembic lineage and one version table per plugin.

A shared version table breaks as soon as a plugin's files are gone, and a downgrade of one plugin drops the
tables of others; lineages of their own touch nobody. Whether something is pending is answered without
importing alembic: the head is read from the revision files, the state from the version table.
"""

from __future__ import annotations

import ast
import importlib.resources
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Text, inspect, text
from sqlalchemy.exc import DBAPIError

from ..errors import BootError

if TYPE_CHECKING:
    from .engine import Database

LOCK = "atrio-migrate"


@dataclass(frozen=True)
class Lineage:
    """Where the revisions of an owner live: a package with a `versions` folder, and its table prefix.

    `unmanaged` are patterns of tables (`x_words`, `x_words_*`) and of columns and indexes (`x_text.words`) that
    the revisions make and that no model declares: search indexes of one engine, for example.
    """

    owner: str
    package: str
    unmanaged: tuple[str, ...] = ()

    def manages(self, name: str) -> bool:
        """Tell whether models declare the table, or the column or index `table.name`."""
        return not any(fnmatchcase(name, pattern) for pattern in self.unmanaged)

    @property
    def version_table(self) -> str:
        """The table that holds the lineage's revision."""
        return f"alembic_version_{self.owner}"

    @property
    def folder(self) -> Path:
        """The folder of the revision files."""
        return Path(str(importlib.resources.files(self.package))) / "versions"


KERNEL = Lineage("kernel", "atrio.migrations")


@lru_cache(maxsize=64)
def revisions(lineage: Lineage) -> tuple[tuple[str, str | None], ...]:
    """Return (revision, down_revision) of each file, without importing it."""
    found: list[tuple[str, str | None]] = []
    for path in sorted(lineage.folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        names: dict[str, Any] = {}
        for node in ast.parse(path.read_text("utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                names[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
        if "revision" in names:
            found.append((names["revision"], names.get("down_revision")))
    return tuple(found)


def head(lineage: Lineage) -> str | None:
    """Return the newest revision of a lineage; BootError when there are two."""
    known = revisions(lineage)
    older = {down for _, down in known}
    heads = [revision for revision, _ in known if revision not in older]
    if len(heads) > 1:
        raise BootError(f"{lineage.owner}: the lineage has several heads: {', '.join(heads)}")
    return heads[0] if heads else None


def current(connection: Connection, lineage: Lineage) -> str | None:
    """Return the revision in the database, None when nothing was applied."""
    if not inspect(connection).has_table(lineage.version_table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {lineage.version_table}")).scalar()  # noqa: S608


@dataclass(frozen=True)
class Status:
    """Where a lineage stands."""

    owner: str
    current: str | None
    head: str | None

    @property
    def pending(self) -> bool:
        """True when an upgrade has something to do."""
        return self.current != self.head


def status(connection: Connection, lineage: Lineage) -> Status:
    """Return where a lineage stands."""
    return Status(lineage.owner, current(connection, lineage), head(lineage))


def is_empty(connection: Connection) -> bool:
    """Tell whether the database holds no table at all."""
    return not inspect(connection).get_table_names()


@contextmanager
def migrating(db: Database) -> Iterator[Connection]:
    """Open a connection for DDL under a lock that other processes respect.

    SQLite holds its write lock for the whole run; PostgreSQL an advisory lock; MariaDB a named lock.
    """
    with db.writer.connect() as connection:
        if db.dialect == "sqlite":
            raw = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
            raw.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]
        elif db.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:n))"), {"n": LOCK})
        else:
            held = connection.execute(text("SELECT GET_LOCK(:n, 60)"), {"n": LOCK}).scalar()
            if held != 1:
                raise BootError("another process is migrating the database")
        try:
            yield connection
            connection.commit()
            if db.dialect == "sqlite" and raw.in_transaction:  # type: ignore[union-attr]
                raw.commit()  # type: ignore[union-attr]
        except BaseException:
            connection.rollback()
            raise
        finally:
            if db.dialect == "sqlite":
                raw.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
            elif db.dialect != "postgresql":
                connection.execute(text("SELECT RELEASE_LOCK(:n)"), {"n": LOCK})
                connection.commit()


def _alembic(connection: Connection, lineage: Lineage) -> Any:
    from alembic.config import Config

    config = Config()
    shared = Path(str(importlib.resources.files("atrio.migrations")))
    config.set_main_option("script_location", str(shared))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(lineage.folder))
    config.attributes.update(
        connection=connection, version_table=lineage.version_table, prefix=lineage.owner
    )  # fmt: skip
    return config


def upgrade(connection: Connection, lineage: Lineage, to: str = "head") -> None:
    """Apply revisions; BootError names the lineage and the revision that failed.

    SQLite and PostgreSQL then have none of this lineage's revisions of this run, and the caller may go on with
    other lineages. DDL on MariaDB is not transactional: a revision that fails half-way stays unrecorded.
    Revisions create with `if_not_exists=True`, so the next run goes on from there.
    """
    from alembic import command

    last = current(connection, lineage)

    def note(step: Any, **_: Any) -> None:
        nonlocal last
        last = step.up_revision_id

    config = _alembic(connection, lineage)
    config.attributes["on_version_apply"] = note
    transactional = connection.dialect.name in ("sqlite", "postgresql")
    try:
        with connection.begin_nested() if transactional else nullcontext():
            command.upgrade(config, to)
    except Exception as error:
        # Anything may come out of a revision, which is a plugin's code.
        following = {down: revision for revision, down in revisions(lineage)}
        why = error.orig if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
        step = following.get(last)
        raise BootError(f"migration of {lineage.owner}{f' to {step}' if step else ''} failed: {why}") from error


def downgrade(connection: Connection, lineage: Lineage, to: str = "base") -> None:
    """Undo revisions down to `to`; at base the version table goes too."""
    from alembic import command

    command.downgrade(_alembic(connection, lineage), to)
    if to == "base":
        connection.execute(text(f"DROP TABLE IF EXISTS {lineage.version_table}"))


def _types_differ(context: Any, column: Any, declared: Any, found: Any, wanted: Any) -> bool | None:
    """Take MariaDB's LONGTEXT for the text that it was asked for; leave every other comparison to alembic."""
    return False if type(found).__name__ == "LONGTEXT" and isinstance(wanted, Text) else None


def owner_of(table: str, owners: Iterable[str]) -> str | None:
    """Return whose table this is: of several prefixes that fit (`notes`, `notes_archive`) the longest."""
    return max((o for o in owners if table.startswith(f"{o}_")), key=len, default=None)


def differences(connection: Connection, lineage: Lineage, owners: Iterable[str] = ()) -> list[str]:
    """Return what autogenerate would change for this owner's tables; empty when models and tables agree.

    `owners` are all plugins with tables, to tell those apart whose names begin alike.
    """
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from .base import Base

    known = {lineage.owner, *owners}

    def include(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "table":
            return owner_of(name or "", known) == lineage.owner and lineage.manages(name or "")
        return kind not in ("column", "index") or lineage.manages(f"{parents.get('table_name')}.{name}")

    def include_object(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return kind != "table" or (owner_of(name or "", known) == lineage.owner and lineage.manages(name or ""))

    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": lineage.version_table, "include_name": include, "include_object": include_object,
            "compare_type": _types_differ,
        },
    )  # fmt: skip
    return [repr(change) for change in compare_metadata(context, Base.metadata)]
