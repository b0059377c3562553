"""Plugins made on the fly: what a stranger's package would give to the host, without a package."""

from __future__ import annotations

import shutil
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.markers import hookimpl
from atrio.kernel.plugins import Manifest, PluginRecord, discover
from atrio.kernel.testing.plugin import make_kernel

MANIFEST_KEYS = ("requires", "after", "offers", "essential", "api", "default_enabled")


def _plugin(name: str, **given: Any) -> PluginRecord:
    """Return the record of a plugin; a keyword is a manifest field or a hook: a function or what it returns."""
    module = types.ModuleType(f"strangers.{name}.plugin")
    manifest = {k: given.pop(k) for k in MANIFEST_KEYS if k in given}
    record = PluginRecord(name, module.__name__)
    record.module = module
    record.manifest = Manifest(name=name, summary=f"the stranger {name}", **manifest)
    for hook, value in given.items():
        function = value if isinstance(value, types.FunctionType) else (lambda value=value: value)
        setattr(module, hook, hookimpl(function))
    return record


@pytest.fixture
def plugin() -> Callable[..., PluginRecord]:
    """`plugin("birds", register_routes=[…])` makes a plugin."""
    return _plugin


@pytest.fixture
def boot_with(tmp_path: Path, _templates: Callable[[dict[str, Any]], Path]) -> Iterator[Callable[..., Kernel]]:
    """`boot_with(plugin(…), …)` boots an instance with the bundled plugins and these."""
    booted: list[Kernel] = []

    def boot(*records: PluginRecord, **settings: Any) -> Kernel:
        data = tmp_path / f"instance-{len(booted)}"
        data.mkdir()
        for path in _templates({}).glob("atrio.db*"):
            shutil.copy(path, data / path.name)
        booted.append(make_kernel(data, settings, records=[*discover(), *records]))
        return booted[-1]

    yield boot
    for kernel in booted:
        kernel.stop()
        kernel.app.pool.close()
        kernel.app.io.close()


@pytest.fixture
def ringer(kernel: Kernel, plugin: Callable[..., PluginRecord]) -> PluginRecord:
    """A plugin that is not essential."""
    record = plugin("ringer")
    kernel.records.append(record)
    return record
