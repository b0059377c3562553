"""The conformance battery: the rules every plugin keeps, run over each discovered one.

Import it in a test module of yours; with ATRIO_CONFORMANCE=name1,name2 only those plugins are looked at.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from atrio import hookspecs
from atrio.kernel.db import migrate
from atrio.kernel.db.base import Base
from atrio.kernel.errors import BootError, KernelError
from atrio.kernel.host import Kernel
from atrio.kernel.http.schema import Schema
from atrio.kernel.plugins import PluginRecord, State, discover
from atrio.kernel.testing.plugin import make_kernel

__all__ = [
    "booted",
    "test_boots_alone_with_its_requirements",
    "test_everything_else_works_without_it",
    "test_fails_cleanly_when_a_hook_raises",
    "test_lineage_goes_up_down_up",
    "test_manifest_is_valid",
    "test_options_are_documented",
    "test_plugin_module_is_light",
    "test_readme_names_every_key_and_route",
    "test_routes_are_guarded_and_described",
    "test_tables_are_prefixed_and_references_say_what_happens",
    "test_tasks_are_named_and_described",
]


def _names() -> list[str]:
    chosen = os.environ.get("ATRIO_CONFORMANCE", "")
    found = [r.name for r in discover() if r.module is not None]
    return [n for n in found if n in chosen.split(",")] if chosen else found


every_plugin = pytest.mark.parametrize("name", _names())


def _fresh(only: set[str] | None = None) -> list[PluginRecord]:
    records = discover()
    return [r for r in records if only is None or r.name in only]


def _closure(name: str) -> set[str]:
    by_name = {r.name: r for r in discover()}
    wanted: set[str] = set()
    queue = [name]
    while queue:
        current = queue.pop()
        if current not in wanted:
            wanted.add(current)
            manifest = by_name[current].manifest
            queue += list(manifest.requires) if manifest else []
    return wanted


def _boot(folder: Path, name: str, *, only: set[str] | None = None, off: bool = False) -> Kernel:
    chosen: dict[str, Any] = {"plugins__disabled": [name]} if off else {"plugins__enabled": sorted(_closure(name))}
    return make_kernel(folder, chosen, records=_fresh(only))


@pytest.fixture
def booted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kernel]:
    """An instance with everything, and the plugin under test."""
    kernel = _boot(tmp_path, request.getfixturevalue("name"))
    yield kernel
    kernel.stop()


def _record(kernel: Kernel, name: str) -> PluginRecord:
    record = kernel.record(name)
    assert record is not None
    return record


@every_plugin
def test_manifest_is_valid(name: str) -> None:
    """Name, summary, interface; what it requires exists."""
    records = {r.name: r for r in discover()}
    manifest = records[name].manifest
    assert records[name].state is State.ENABLED, records[name].reason
    assert manifest is not None
    assert manifest.name.isidentifier()
    assert manifest.name.islower()
    assert 10 <= len(manifest.summary) <= 120
    assert not set(manifest.requires) - set(records)
    assert name not in manifest.requires


@every_plugin
def test_plugin_module_is_light(name: str) -> None:
    """`plugin.py` imports only atrio's light modules and the standard library."""
    record = next(r for r in discover() if r.name == name)
    code = (
        "import sys, importlib; before = set(sys.modules); "
        f"importlib.import_module({record.target!r}); "
        "print(*sorted(m for m in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = record.root
    for module in done.stdout.split():
        top = module.partition(".")[0]
        fine = (
            top in sys.stdlib_module_names
            or top in ("pluggy", "atrio")
            or package == module
            or package.startswith(f"{module}.")
            or module == record.target
            or module.startswith("_")
        )
        heavy = module.startswith(("atrio.kernel.host", "atrio.kernel.http", "atrio.kernel.db", f"{package}.r"))
        assert fine, f"{record.target} imports {module}"
        assert not heavy, f"{record.target} imports {module}"


@every_plugin
def test_boots_alone_with_its_requirements(name: str, tmp_path: Path) -> None:
    """Nothing but the plugin and what it requires is installed."""
    kernel = _boot(tmp_path, name, only=_closure(name))
    record = _record(kernel, name)
    assert record.enabled, record.reason
    kernel.stop()


@every_plugin
def test_everything_else_works_without_it(name: str, tmp_path: Path) -> None:
    """Switched off, it leaves no route behind and only its dependants are blocked."""
    record = next(r for r in discover() if r.name == name)
    if record.essential:
        with pytest.raises(BootError, match=name):
            _boot(tmp_path, name, off=True)
        return
    kernel = _boot(tmp_path, name, off=True)
    assert _record(kernel, name).state is State.DISABLED
    assert name not in {owner for owner, _ in kernel.router.routes}
    for other in kernel.records:
        needs = other.manifest is not None and name in other.manifest.requires
        assert other.state is (State.BLOCKED if needs else other.state)
        assert needs or other.state in (State.ENABLED, State.DISABLED), (other.name, other.reason)
    kernel.stop()


@every_plugin
def test_fails_cleanly_when_a_hook_raises(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any declaration that raises parks the plugin with its reason, or stops the boot when it is essential.

    The hooks of the kernel, that is; those of other plugins are called when their owners want.
    """
    record = next(r for r in discover() if r.name == name)
    hooks = [
        h
        for h in vars(record.module)
        if h.startswith("register_") and h in vars(hookspecs) and h not in ("register_commands", "register_health")
    ]

    def broken() -> Any:
        raise RuntimeError("broken on purpose")

    for number, hook in enumerate(hooks):
        with monkeypatch.context() as patch:
            patch.setattr(record.module, hook, broken)
            folder = tmp_path / str(number)
            try:
                kernel = _boot(folder, name)
            except BootError as error:
                if name not in str(error) or not (record.essential or _guards(record)):
                    raise
                continue
            assert not _record(kernel, name).enabled, hook
            assert "broken on purpose" in _record(kernel, name).reason
            assert name not in {owner for owner, _ in kernel.router.routes}
            kernel.stop()


def _guards(record: PluginRecord) -> bool:
    return any(hasattr(record.module, hook) for hook in ("authenticate", "register_policies", "check_received"))


@every_plugin
def test_options_are_documented(name: str, booted: Kernel) -> None:
    """Each setting says what it is for."""
    for section in _record(booted, name).contributions.get("register_config", []):
        assert (section.shape.__doc__ or "").strip()
        for opt in section.options():
            assert len(opt.help) >= 8, opt.name
            assert opt.help.rstrip().endswith((".", ")")), opt.name


@every_plugin
def test_routes_are_guarded_and_described(name: str, booted: Kernel) -> None:
    """Each route has guards, a summary, a group, described errors, and stands in the OpenAPI document."""
    routes = [route for owner, route in booted.router.routes if owner == name]
    paths: dict[str, Any] = {}
    if booted.enabled("api_docs"):
        from atrio.kernel.testing.client import Client

        client = Client(booted.app)
        paths = client.get("/api/doc/spec.json").json["paths"]
        client.close()
    for route in routes:
        label = f"{route.method} {route.path}"
        assert route.guards, label
        assert route.summary, label
        assert route.group, label
        assert (route.handler.__doc__ or "").strip(), label
        for shape in (route.body, route.query, route.form):
            assert shape is None or issubclass(shape, Schema), label
        for error in (*route.errors, *(e for g in route.guards for e in g.errors)):
            assert issubclass(error, KernelError), label
            assert (error.__doc__ or "").strip(), label
        if paths and not route.hidden:
            assert route.method.lower() in paths.get(route.openapi_path(), {}), label


@every_plugin
def test_tables_are_prefixed_and_references_say_what_happens(name: str, booted: Kernel) -> None:
    """Tables carry the plugin's name; foreign keys point at required plugins and have ON DELETE."""
    record = _record(booted, name)
    needed = {name, *(record.manifest.requires if record.manifest else ())}
    for model in record.contributions.get("register_models", []):
        table = Base.metadata.tables[model.__tablename__]
        assert table.name.startswith(f"{name}_")
        for key in table.foreign_keys:
            other = key.column.table.name
            assert key.ondelete, f"{table.name}.{key.parent.name} has no ON DELETE"
            assert any(other.startswith(f"{n}_") for n in (*needed, "kernel")), f"{table.name} → {other}"


@every_plugin
def test_lineage_goes_up_down_up(name: str, tmp_path: Path) -> None:
    """Migrations apply, undo and apply again; models and tables agree, and nobody else's table is touched."""
    kernel = _boot(tmp_path, name, only=_closure(name))
    lineage = kernel.lineages.get(name)
    if lineage is None:
        assert not _record(kernel, name).contributions.get("register_models")
        kernel.stop()
        return
    everybody = [entry.name for entry in metadata.entry_points(group="atrio.plugins")]  # models may be loaded
    with kernel.db.writer.connect() as connection:
        assert migrate.differences(connection, lineage, everybody) == []
        before = set(inspect(connection).get_table_names())
    with migrate.migrating(kernel.db) as connection:
        migrate.downgrade(connection, lineage, "base")
    with kernel.db.writer.connect() as connection:
        left = set(inspect(connection).get_table_names())
        assert not {t for t in left if t.startswith(f"{name}_")}
        assert {t for t in before if not t.startswith(f"{name}_")} - {lineage.version_table} <= left
    with migrate.migrating(kernel.db) as connection:
        migrate.upgrade(connection, lineage)
    with kernel.db.writer.connect() as connection:
        assert migrate.differences(connection, lineage, everybody) == []
        assert set(inspect(connection).get_table_names()) == before
    kernel.stop()


@every_plugin
def test_tasks_are_named_and_described(name: str, booted: Kernel) -> None:
    """Jobs carry the plugin's name, to be told apart, parked and purged; handlers are described."""
    given = _record(booted, name).contributions
    for task in given.get("register_tasks", []):
        assert task.name.startswith(f"{name}.")
        assert (task.handler.__doc__ or "").strip(), task.name
    for subscription in given.get("register_subscriptions", []):
        assert not subscription.name or subscription.name.startswith(f"{name}.")
        assert (subscription.handler.__doc__ or "").strip(), subscription.handler


@every_plugin
def test_readme_names_every_key_and_route(name: str, booted: Kernel) -> None:
    """The plugin's README stands beside `plugin.py` and names every setting and every route."""
    record = _record(booted, name)
    assert record.folder is not None
    path = record.folder / "README.md"
    assert path.is_file(), f"{path} is missing"
    text = path.read_text("utf-8")
    for section in record.contributions.get("register_config", []):
        for opt in section.options():
            assert f"`{opt.key}`" in text, f"README of {name} does not name {opt.name}"
    for owner, route in booted.router.routes:
        if owner == name:
            assert f"`{route.method} {route.openapi_path()}`" in text, (
                f"README of {name} does not name {route.method} {route.openapi_path()}"
            )
