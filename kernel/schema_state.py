"""What the database holds against what the code wants: first start, upgrades, plugins that are behind."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .db import migrate
from .errors import BootError
from .isolation import alive, call, expendable, is_guard, retire
from .plugins import State

if TYPE_CHECKING:
    from .host import Kernel

log = logging.getLogger("atrio.host")


def ensure_schema(kernel: Kernel) -> None:
    """Initialise an empty database; park or refuse what has pending migrations."""
    with kernel.db.writer.connect() as connection:
        empty = migrate.is_empty(connection)
    if empty:
        initialise(kernel)
        return
    with kernel.db.writer.connect() as connection:
        states = [migrate.status(connection, lineage) for lineage in lineages(kernel)]
    for found in states:
        if not found.pending:
            continue
        why = f"database at {found.current or 'nothing'}, code at {found.head}"
        record = kernel.record(found.owner)
        if record is None or record.essential or is_guard(kernel, record):
            raise BootError(f"pending migrations of {found.owner} ({why}); back up, then type: atrio db upgrade")
        retire(kernel, record, State.MIGRATIONS_PENDING, f"{why}; type: atrio db upgrade {record.name}")


def initialise(kernel: Kernel) -> None:
    """Create every table by its migrations and let the plugins put their first rows in."""
    with migrate.migrating(kernel.db) as connection:
        if not migrate.is_empty(connection):
            return
        for lineage in lineages(kernel):
            record = kernel.record(lineage.owner)
            if record is not None and not record.enabled:
                continue
            try:
                migrate.upgrade(connection, lineage)
            except BootError as error:
                if record is None or not expendable(kernel, record):
                    raise
                log.exception("the tables of %s cannot be created", lineage.owner)
                reason = f"{error}; type: atrio db upgrade {lineage.owner}"
                retire(kernel, record, State.MIGRATIONS_PENDING, reason)
    _first_rows(kernel)


def _first_rows(kernel: Kernel) -> None:
    """Let the plugins put their first rows in; one that fails loses its own and takes nobody's."""
    with kernel.unit() as ctx:
        for record in alive(kernel):
            if not expendable(kernel, record):
                call(kernel, record, "on_database_created", ctx=ctx)
                continue
            before = len(ctx.events), len(ctx.deferred)
            try:
                with ctx.savepoint():
                    call(kernel, record, "on_database_created", ctx=ctx)
            except Exception as error:
                del ctx.events[before[0] :]
                del ctx.deferred[before[1] :]
                log.exception("on_database_created of %s failed", record.name)
                retire(kernel, record, State.FAILED, f"no first rows: {type(error).__name__}: {error}")


def upgrade(kernel: Kernel, names: Iterable[str] = ()) -> list[str]:
    """Apply pending revisions in dependency order; returns what was upgraded.

    An empty database is initialised whole, whatever was named. When a plugin's revision fails, the others are
    upgraded all the same and the BootError comes at the end; when the kernel's or an essential plugin's does,
    nothing is.
    """
    wanted = set(names)
    done: list[str] = []
    failed: dict[str, str] = {}
    with migrate.migrating(kernel.db) as connection:
        created = migrate.is_empty(connection)
        for lineage in lineages(kernel):
            if wanted and not created and lineage.owner not in wanted:
                continue
            record = kernel.record(lineage.owner)
            waits = [n for n in record.manifest.requires if n in failed] if record and record.manifest else []
            if waits:
                failed[lineage.owner] = f"{lineage.owner} waits for {waits[0]}"
                continue
            before = migrate.current(connection, lineage)
            try:
                migrate.upgrade(connection, lineage)
            except BootError as error:
                if record is None or not expendable(kernel, record):
                    raise
                failed[lineage.owner] = str(error)
                continue
            if migrate.current(connection, lineage) != before:
                done.append(lineage.owner)
    for name, why in failed.items():
        record = kernel.record(name)
        assert record is not None
        retire(kernel, record, State.MIGRATIONS_PENDING, why)
    if created:
        _first_rows(kernel)
    if failed:
        raise BootError("; ".join([*failed.values(), *([f"upgraded: {', '.join(done)}"] if done else [])]))
    return done


def lineages(kernel: Kernel) -> list[migrate.Lineage]:
    """Return the lineages, the kernel's first, then in dependency order."""
    ordered = [kernel.lineages["kernel"]]
    ordered += [kernel.lineages[r.name] for r in kernel.records if r.name in kernel.lineages]
    return ordered
