"""Switching plugins on and off, and purging them: what `atrio plugins` does to config file and database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import jobs
from .config import PluginsConfig, Sources, did_you_mean, kernel_config
from .db import migrate
from .errors import BootError
from .host import Kernel, boot, lineages, upgrade
from .plugins import PluginRecord, State, dependants, discover, in_order, select


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
    trial = boot(_with_choice(sources, choice), schema=False)
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
    path = _write_choice(sources, choice)
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
    lines = [f"blocked with it: {', '.join(needing)}"] if needing else []
    if dry_run:
        return [*lines, "nothing was changed"]
    path = _write_choice(sources, choice)
    return [*lines, f"disabled in {path}; takes effect at the next start, or by SIGHUP to atrio serve"]


def _choice(sources: Sources) -> dict[str, list[str]]:
    chosen = kernel_config(sources)[PluginsConfig]
    return {"enabled": list(chosen.enabled), "disabled": list(chosen.disabled)}


def _with_choice(sources: Sources, choice: dict[str, list[str]]) -> Sources:
    overrides = {**sources.overrides, "plugins.enabled": choice["enabled"]}
    overrides["plugins.disabled"] = choice["disabled"]
    return Sources(sources.path, sources.file, sources.environ, overrides)


def _write_choice(sources: Sources, choice: dict[str, list[str]]) -> Path:
    """Write [plugins] into the config file, keeping everything else in it, comments too."""
    import tomlkit

    path = sources.path or Path("atrio.toml")
    document = tomlkit.parse(path.read_text("utf-8")) if path.is_file() else tomlkit.document()
    table = document.setdefault("plugins", tomlkit.table())
    for key in ("enabled", "disabled"):
        if choice[key] or key in table:
            table[key] = choice[key]
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
    register = getattr(record.module, "register_migrations", None)
    lineage = register() if register is not None else None
    return lineage if isinstance(lineage, migrate.Lineage) else None


def _tables(kernel: Kernel, name: str) -> list[tuple[str, int]]:
    from sqlalchemy import inspect, text

    found = []
    with kernel.db.writer.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            if table.startswith(f"{name}_"):
                rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: S608
                found.append((table, int(rows or 0)))
    return found


def purge_plan(kernel: Kernel, name: str) -> list[str]:
    """Return what a purge would delete."""
    lineage = _purgeable(kernel, name)
    tables = _tables(kernel, name)
    lines = [f"table {table}: {rows} row(s)" for table, rows in tables]
    if lineage is None:
        lines.append(f"{name} has no migrations" if not tables else f"{name} is not installed any more")
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
