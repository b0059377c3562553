"""Switching plugins on and off, and purging them: what `atrio plugins` does to config file and database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import jobs
from .config import PluginsConfig, Sources, did_you_mean, kernel_config
from .db import migrate
from .errors import BootError
from .host import Kernel, boot
from .plugins import PluginRecord, State, dependants, discover, in_order, select
from .schema_state import lineages, upgrade


def _records(sources: Sources) -> list[PluginRecord]:
    records = discover()
    select(records, kernel_config(sources)[PluginsConfig])
    return in_order(records)


def _find(records: list[PluginRecord], name: str) -> PluginRecord:
    for record in records:
        if record.name == name:
            return record
    names = [r.name for r in records]
    raise BootError(f"no plugin is named {name}{did_you_mean(name, names)}")


def enable(sources: Sources, name: str, *, upgrade: bool = False, dry_run: bool = False) -> list[str]:
    """Switch a plugin on in the config file; returns what happened, line by line."""
    record = _find(_records(sources), name)
    if record.state in (State.LOAD_ERROR, State.INCOMPATIBLE):
        raise BootError(f"{name} cannot be enabled ({record.state}): {record.reason}")
    choice = _choice(sources)
    choice["disabled"] = [n for n in choice["disabled"] if n != name]
    by_default = bool(record.manifest and record.manifest.default_enabled)
    if not by_default and name not in choice["enabled"]:
        choice["enabled"].append(name)
    changes = _changes(sources, choice)
    trial = boot(_with_choice(sources, changes), schema=False)
    try:
        tried = trial.record(name)
        assert tried is not None
        if not tried.enabled:
            raise BootError(f"{name} cannot be enabled ({tried.state}): {tried.reason}")
        lines = [f"{name}: {sum(1 for owner, _ in trial.router.routes if owner == name)} route(s)"]
        pending = _pending(trial, name)
        if dry_run:
            return [*lines, *([f"pending migrations: {pending}"] if pending else []), "nothing was changed"]
        if pending and upgrade:
            lines.append(f"upgraded: {', '.join(_upgrade(trial, name))}")
        elif pending:
            lines.append(f"pending migrations ({pending}); type: atrio db upgrade {name}")
    finally:
        trial.db.close()
    path = _write_choice(sources, changes)
    return [*lines, f"enabled in {path}; takes effect at the next start, or by SIGHUP to atrio serve"]


def _upgrade(kernel: Kernel, name: str) -> list[str]:
    return upgrade(kernel, [name]) or ["nothing"]


def _pending(kernel: Kernel, name: str) -> str:
    lineage = kernel.lineages.get(name)
    if lineage is None:
        return ""
    with kernel.db.writer.connect() as connection:
        if migrate.is_empty(connection):
            return ""
        found = migrate.status(connection, lineage)
    return f"{found.current or 'nothing'} → {found.head}" if found.pending else ""


def disable(sources: Sources, name: str, *, dry_run: bool = False) -> list[str]:
    """Switch a plugin off; its tables and settings stay."""
    records = _records(sources)
    record = _find(records, name)
    if record.essential:
        raise BootError(f"{name} is essential and cannot be disabled")
    needing = [n for n in dependants(records, name) if _find(records, n).enabled]
    essential = [n for n in needing if _find(records, n).essential]
    if essential:
        raise BootError(f"{name} is needed by {', '.join(essential)}, which cannot be disabled")
    choice = _choice(sources)
    choice["enabled"] = [n for n in choice["enabled"] if n != name]
    if name not in choice["disabled"]:
        choice["disabled"].append(name)
    changes = _changes(sources, choice)
    lines = [f"blocked with it: {', '.join(needing)}"] if needing else []
    if dry_run:
        return [*lines, "nothing was changed"]
    path = _write_choice(sources, changes)
    return [*lines, f"disabled in {path}; takes effect at the next start, or by SIGHUP to atrio serve"]


def _choice(sources: Sources) -> dict[str, list[str]]:
    """Return what the file says, and only the file: it is the file that gets written."""
    chosen = kernel_config(Sources(sources.path, sources.file))[PluginsConfig]
    return {"enabled": list(chosen.enabled), "disabled": list(chosen.disabled)}


def _changes(sources: Sources, choice: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the keys that differ from the file; BootError when the file does not decide about one."""
    before, origin = _choice(sources), kernel_config(sources).origin
    changes = {key: names for key, names in choice.items() if names != before[key]}
    for key in changes:
        came_from = origin[f"plugins.{key}"]
        if came_from not in ("default", str(sources.path)):
            raise BootError(f"plugins.{key} comes from {came_from}, which outweighs the file; change it there")
    return changes


def _with_choice(sources: Sources, changes: dict[str, list[str]]) -> Sources:
    overrides = {**sources.overrides, **{f"plugins.{key}": names for key, names in changes.items()}}
    return Sources(sources.path, sources.file, sources.environ, overrides)


def _write_choice(sources: Sources, changes: dict[str, list[str]]) -> Path:
    """Write [plugins] into the config file, keeping everything else in it, comments too."""
    import tomlkit
    from tomlkit.items import Array

    path = sources.path or Path("atrio.toml")
    document = tomlkit.parse(path.read_text("utf-8")) if path.is_file() else tomlkit.document()
    if "plugins" not in document:
        document["plugins"] = tomlkit.table()
    table: Any = document["plugins"]
    for key, names in changes.items():
        listed = table.get(key)
        if not isinstance(listed, Array):
            table[key] = names
            continue
        # Changed in place: a new array would lose the comments between the members.
        for name in [n for n in listed if n not in names]:
            listed.remove(name)
        for name in names:
            if name not in listed:
                listed.append(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".new")
    partial.write_text(tomlkit.dumps(document), "utf-8")
    if path.is_file():
        partial.chmod(path.stat().st_mode)
    partial.replace(path)
    return path


# -- purge -------------------------------------------------------------------------------------------------


def _purgeable(kernel: Kernel, name: str) -> migrate.Lineage | None:
    record = _find(kernel.records, name)
    if record.essential:
        raise BootError(f"{name} is essential and cannot be purged")
    if record.enabled:
        raise BootError(f"{name} is enabled; type first: atrio plugins disable {name}")
    if record.module is None or record.manifest is None:
        raise BootError(f"{name} cannot be purged, because it cannot be read ({record.state}): {record.reason}")
    for other in dependants(kernel.records, name):
        if _tables(kernel, other):
            raise BootError(f"{other} has tables and needs {name}; type first: atrio plugins purge {other}")
    lineage = kernel.ask(record, "register_migrations")
    return lineage if isinstance(lineage, migrate.Lineage) else None


def _tables(kernel: Kernel, name: str) -> list[tuple[str, int]]:
    from sqlalchemy import inspect, text

    others = [f"{r.name}_" for r in kernel.records if r.name.startswith(f"{name}_")]
    found = []
    with kernel.db.writer.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            if table.startswith(f"{name}_") and not table.startswith(tuple(others)):
                rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: S608
                found.append((table, int(rows or 0)))
    return found


def purge_plan(kernel: Kernel, name: str) -> list[str]:
    """Return what a purge would delete."""
    lineage = _purgeable(kernel, name)
    if lineage is None:
        return [f"{name} has no migrations"]
    lines = [f"table {table}: {rows} row(s)" for table, rows in _tables(kernel, name)]
    return lines or [f"{name} has no tables"]


def purge(kernel: Kernel, name: str) -> list[str]:
    """Take the plugin's lineage down to base and delete its jobs."""
    lineage = _purgeable(kernel, name)
    dropped = []
    if lineage is not None:
        with migrate.migrating(kernel.db) as connection:
            if migrate.current(connection, lineage) is not None:
                migrate.downgrade(connection, lineage, "base")
                dropped.append(f"tables of {name} deleted")
    names = _job_names(_find(kernel.records, name))
    if names:
        count = kernel.run(lambda ctx: jobs.drop_named(ctx, names))
        dropped.append(f"{count} job(s) deleted")
    return dropped or ["nothing to delete"]


def _job_names(record: PluginRecord) -> list[str]:
    found: list[str] = []
    tasks = getattr(record.module, "register_tasks", None)
    subscriptions = getattr(record.module, "register_subscriptions", None)
    found += [task.name for task in tasks() or ()] if tasks else []
    found += [s.name for s in subscriptions() or () if s.name] if subscriptions else []
    return found


# -- info --------------------------------------------------------------------------------------------------


def describe_plugin(kernel: Kernel, name: str) -> dict[str, Any]:
    """Return what a plugin declares, as plain data."""
    record = _find(kernel.records, name)
    facts = record.summary()
    facts["needed by"] = dependants(kernel.records, name)
    sections = record.contributions.get("register_config", [])
    facts["settings"] = [o.name for s in sections for o in s.options()]
    facts["routes"] = [f"{route.method} {route.path}" for owner, route in kernel.router.routes if owner == name]
    given = record.contributions
    facts["events"] = [e.name for e in given.get("register_events", [])]
    facts["subscriptions"] = [f"{s.event.name} ({s.phase})" for s in given.get("register_subscriptions", [])]
    facts["tasks"] = [t.name for t in given.get("register_tasks", [])]
    facts["errors"] = [f"{e.code} {e.__name__}" for e in given.get("register_errors", [])]
    facts["permissions"] = [p.name for p in given.get("register_permissions", [])]
    facts["tables"] = [m.__tablename__ for m in given.get("register_models", [])]
    if any(lineage.owner == name for lineage in lineages(kernel)):
        facts["migrations"] = [revision for revision, _ in migrate.revisions(kernel.lineages[name])]
    return facts
