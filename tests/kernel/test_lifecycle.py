"""Switching plugins on and off edits the config file; purging takes one plugin's tables and nothing else."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from atrio import Manifest
from atrio.kernel import host, lifecycle
from atrio.kernel import plugins as plugin_host
from atrio.kernel.config import Sources
from atrio.kernel.errors import BootError
from atrio.kernel.plugins import PluginRecord, discover

FILE = """\
# settings of our instance
[website]
title = "Ours"  # shown in the bar

[plugins]
# what we run
disabled = [
    # it was too loud
    "loud",
]  # keep this short

[log]
level = "debug"
"""


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three plugins beside the bundled ones: `quiet` is off by default, `quiet_child` needs it, `loud` is on."""
    quiet = Manifest("quiet", "A plugin off by default", requires=("accounts",), default_enabled=False)
    child = Manifest("quiet_child", "A plugin that needs it", requires=("quiet",), default_enabled=False)
    manifests = (quiet, child, Manifest("loud", "A plugin on by default"))
    for manifest in manifests:
        module = types.ModuleType(f"foreign_{manifest.name}")
        module.MANIFEST = manifest  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    bundled = discover

    def found() -> list[PluginRecord]:
        records = [PluginRecord(m.name, f"foreign_{m.name}") for m in manifests]
        for record in records:
            plugin_host.load(record)
        return [*bundled(), *records]

    monkeypatch.setattr(plugin_host, "discover", found)
    monkeypatch.setattr(lifecycle, "discover", found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A config file with comments."""
    path = tmp_path / "atrio.toml"
    path.write_text(FILE)
    return path


def _sources(path: Path, **environ: str) -> Sources:
    return Sources.load(path, environ, {"storage.data_dir": str(path.parent)})


def test_enable_and_disable_change_nothing_but_the_name(path: Path) -> None:
    lines = lifecycle.enable(_sources(path), "quiet")
    assert lines == [
        "quiet: 0 route(s)",
        f"enabled in {path}; takes effect at the next start, or by SIGHUP to atrio serve",
    ]
    enabled = FILE.replace("]  # keep this short\n", ']  # keep this short\nenabled = ["quiet"]\n')
    assert path.read_text() == enabled
    lifecycle.disable(_sources(path), "quiet")
    text = path.read_text()
    assert 'disabled = [\n    # it was too loud\n    "loud",' in text
    assert {line for line in FILE.splitlines() if "#" in line} <= set(text.splitlines())
    assert _sources(path).file["plugins"] == {"disabled": ["loud", "quiet"], "enabled": []}
    lifecycle.enable(_sources(path), "quiet")
    assert path.read_text() == enabled


def test_a_plugin_on_by_default_only_leaves_the_list(path: Path) -> None:
    lifecycle.enable(_sources(path), "loud")
    text = path.read_text()
    assert "# it was too loud" in text
    assert _sources(path).file["plugins"] == {"disabled": []}


def test_a_missing_file_is_made(tmp_path: Path) -> None:
    sources = Sources.load(None, {}, {"storage.data_dir": str(tmp_path / "data")})
    lifecycle.enable(sources, "quiet")
    assert (tmp_path / "data" / "atrio.toml").read_text() == '[plugins]\nenabled = ["quiet"]\n'


def test_what_the_environment_decides_is_not_written(path: Path) -> None:
    with pytest.raises(BootError, match=r"plugins\.enabled comes from ATRIO_PLUGINS__ENABLED"):
        lifecycle.enable(_sources(path, ATRIO_PLUGINS__ENABLED="quiet_child"), "quiet")
    assert path.read_text() == FILE
    lifecycle.enable(_sources(path, ATRIO_PLUGINS__DISABLED="loud"), "quiet")
    assert _sources(path).file["plugins"] == {"disabled": ["loud"], "enabled": ["quiet"]}


def test_refusals(path: Path) -> None:
    for verb, name, message in (
        (lifecycle.enable, "quite", "no plugin is named quite.*quiet"),
        (lifecycle.enable, "quiet_child", r"quiet_child cannot be enabled \(blocked\): needs quiet \(disabled\)"),
        (lifecycle.disable, "accounts", "accounts is essential"),
    ):
        with pytest.raises(BootError, match=message):
            verb(_sources(path), name)
    assert lifecycle.enable(_sources(path), "quiet", dry_run=True)[-1] == "nothing was changed"
    assert path.read_text() == FILE


@pytest.fixture
def database(path: Path) -> Iterator[host.Kernel]:
    """An instance whose database holds tables of both."""
    kernel = host.boot(_sources(path))
    with kernel.unit() as ctx:
        for table in ("quiet_thing", "quiet_child_thing"):
            ctx.execute(text(f"CREATE TABLE {table} (id INTEGER)"))
    yield kernel
    kernel.stop()


def test_purge_tells_the_tables_of_plugins_apart(database: host.Kernel) -> None:
    assert [t for t, _ in lifecycle._tables(database, "quiet")] == ["quiet_thing"]
    with pytest.raises(BootError, match=r"quiet_child has tables and needs quiet; type first: .* quiet_child"):
        lifecycle.purge_plan(database, "quiet")
    with pytest.raises(BootError, match="quiet_child has tables"):
        lifecycle.purge(database, "quiet")
    with database.db.writer.connect() as connection:
        assert {"quiet_thing", "quiet_child_thing"} <= set(inspect(connection).get_table_names())


def test_purge_refuses_what_it_cannot_read(database: host.Kernel) -> None:
    record = PluginRecord("gone", "nowhere.plugin")
    plugin_host.load(record)
    database.records.append(record)
    with pytest.raises(BootError, match=r"gone cannot be purged, because it cannot be read.*nowhere"):
        lifecycle.purge_plan(database, "gone")
