"""Discovery of plugins, their manifests, their states and their order.

This module imports no plugin body and nothing heavy: `atrio plugins list` lives on it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from .config import PluginsConfig, did_you_mean

API = 1
"""The version of the plugin interface; a manifest with another number is `incompatible`."""

GROUP = "atrio.plugins"


@dataclass(frozen=True)
class Manifest:
    """What a plugin says of itself, readable without importing its body.

    `requires` must be enabled; `after` is only an order; `offers` names hooks of plugins that may be absent.
    An `essential` plugin that cannot start stops the server: security never degrades silently.
    """

    name: str
    summary: str
    api: int = API
    version: str = ""
    requires: Sequence[str] = ()
    after: Sequence[str] = ()
    offers: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    default_enabled: bool = True
    essential: bool = False


class State(enum.StrEnum):
    """Where a plugin stands; everything but `enabled` has a reason."""

    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    LOAD_ERROR = "load_error"
    CONFIG_ERROR = "config_error"
    UNAVAILABLE = "unavailable"
    BLOCKED = "blocked"
    MIGRATIONS_PENDING = "migrations_pending"
    ENABLED = "enabled"
    FAILED = "failed"


@dataclass
class PluginRecord:
    """One discovered plugin and what became of it."""

    name: str
    target: str
    source: Any = None
    """The distribution that holds it, as importlib.metadata knows it."""
    manifest: Manifest | None = None
    module: ModuleType | None = None
    state: State = State.ENABLED
    reason: str = ""
    faults: int = 0
    streak: int = 0
    contributions: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def enabled(self) -> bool:
        """True while the plugin takes part."""
        return self.state is State.ENABLED

    @property
    def essential(self) -> bool:
        """True for a plugin whose fault stops the boot."""
        return bool(self.manifest and self.manifest.essential)

    @property
    def distribution(self) -> str:
        """Name and version of the distribution that holds it."""
        return _label(self.source) if self.source is not None else ""

    @property
    def root(self) -> str:
        """The dotted package that holds `plugin.py`."""
        return self.target.partition(":")[0].rpartition(".")[0]

    @property
    def folder(self) -> Path | None:
        """The folder of the package, None before it is loaded."""
        file = getattr(self.module, "__file__", None)
        return Path(file).parent if file else None

    def park(self, state: State, reason: str) -> None:
        """Take the plugin out of service with its reason."""
        self.state = state
        self.reason = reason

    def summary(self) -> dict[str, Any]:
        """Return what `plugins list --json` and the health route show."""
        manifest = self.manifest
        return {
            "name": self.name,
            "state": str(self.state),
            "reason": self.reason,
            "summary": manifest.summary if manifest else "",
            "version": manifest.version if manifest else "",
            "distribution": self.distribution,
            "requires": list(manifest.requires) if manifest else [],
            "essential": self.essential,
            "default_enabled": bool(manifest and manifest.default_enabled),
        }


@lru_cache(maxsize=64)
def _label(source: Any) -> str:
    """Return name and version of a distribution; it reads its files each time that it is asked for one."""
    return f"{source.name} {source.version}"


def discover() -> list[PluginRecord]:
    """Return a record for every entry point of the group, by name, each loaded in its own try."""
    from importlib_metadata import entry_points

    records: dict[str, PluginRecord] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        if point.name in records:
            twin = records[point.name]
            if twin.target != point.value:
                twin.park(State.LOAD_ERROR, f"two plugins are named {point.name}: {twin.target}, {point.value}")
            continue
        record = PluginRecord(point.name, point.value, point.dist)
        records[point.name] = record
        load(record)
    return list(records.values())


def load(record: PluginRecord) -> None:
    """Import the light `plugin.py` and read its manifest; whatever fails parks this plugin only."""
    import importlib

    try:
        module = importlib.import_module(record.target.partition(":")[0])
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        record.park(State.LOAD_ERROR, f"{type(error).__name__}: {error}")
        return
    record.module = module
    manifest = getattr(module, "MANIFEST", None)
    if not isinstance(manifest, Manifest):
        record.park(State.LOAD_ERROR, f"{record.target} has no MANIFEST")
        return
    record.manifest = manifest
    if manifest.name != record.name:
        record.park(State.LOAD_ERROR, f"the manifest says {manifest.name!r}, the entry point {record.name!r}")
    elif manifest.api != API:
        record.park(State.INCOMPATIBLE, f"written for interface {manifest.api}, this kernel has {API}")


def select(records: Sequence[PluginRecord], choice: PluginsConfig) -> list[str]:
    """Park what the config switches off and what then lacks a requirement; return warnings."""
    names = {r.name for r in records}
    warnings = [
        f"plugins.{key}: no plugin is named {name!r}{did_you_mean(name, names)}"
        for key, listed in (("enabled", choice.enabled), ("disabled", choice.disabled))
        for name in listed
        if name not in names
    ]
    for record in records:
        if not record.enabled or record.manifest is None:
            continue
        if record.name in choice.disabled:
            record.park(State.DISABLED, "switched off in the config")
        elif not record.manifest.default_enabled and record.name not in choice.enabled:
            record.park(State.DISABLED, "not enabled by default")
    block(records)
    return warnings


def block(records: Iterable[PluginRecord]) -> list[PluginRecord]:
    """Park every enabled plugin that requires one which is not enabled; return those newly parked."""
    by_name = {r.name: r for r in records}
    parked: list[PluginRecord] = []
    changed = True
    while changed:
        changed = False
        for record in by_name.values():
            if not record.enabled or record.manifest is None:
                continue
            for need in record.manifest.requires:
                other = by_name.get(need)
                if other is None or not other.enabled:
                    why = "not installed" if other is None else str(other.state)
                    record.park(State.BLOCKED, f"needs {need} ({why})")
                    parked.append(record)
                    changed = True
                    break
    return parked


def in_order(records: Iterable[PluginRecord]) -> list[PluginRecord]:
    """Return the records so that what a plugin requires or follows comes before it, ties by name.

    Essential plugins come first: of two that claim one path or code the stranger is refused, not the server.
    A cycle parks its members as `blocked`.
    """
    by_name = {r.name: r for r in sorted(records, key=lambda r: (not r.essential, r.name))}
    ordered: list[PluginRecord] = []
    done: set[str] = set()

    def visit(record: PluginRecord, trail: tuple[str, ...]) -> None:
        if record.name in done:
            return
        if record.name in trail:
            cycle = " → ".join((*trail[trail.index(record.name) :], record.name))
            for name in trail[trail.index(record.name) :]:
                if by_name[name].enabled:
                    by_name[name].park(State.BLOCKED, f"requirements go in a circle: {cycle}")
            return
        manifest = record.manifest
        for need in sorted({*manifest.requires, *manifest.after}) if manifest else ():
            if need in by_name:
                visit(by_name[need], (*trail, record.name))
        if record.name not in done:
            done.add(record.name)
            ordered.append(record)

    for record in by_name.values():
        visit(record, ())
    return ordered


def dependants(records: Iterable[PluginRecord], name: str) -> list[str]:
    """Return the names of plugins that need `name`, directly or not."""
    found: list[str] = []
    pool = [r for r in records if r.manifest]
    queue = [name]
    while queue:
        current = queue.pop(0)
        for record in pool:
            if record.manifest and current in record.manifest.requires and record.name not in found:
                found.append(record.name)
                queue.append(record.name)
    return found
