"""The `atrio` command, in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rich_click as click
from click.testing import CliRunner

from atrio import Manifest
from atrio.kernel import cli as cli_module
from atrio.kernel import plugins as plugin_host
from atrio.kernel.plugins import PluginRecord


@pytest.fixture
def atrio(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`atrio("plugins", "list")` on a fresh command tree."""

    def run(*words: str) -> Any:
        root = cli_module.PluginGroup(
            "atrio",
            commands=dict(cli_module.cli.commands),
            params=cli_module.cli.params,
            callback=cli_module.cli.callback,
        )
        return CliRunner().invoke(root, list(words))

    return run


@pytest.fixture
def _optional_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that is off by default and has the command `atrio optional`."""
    module = types.ModuleType("optional_plugin")
    module.MANIFEST = Manifest("optional", "A plugin with a command", default_enabled=False)  # type: ignore[attr-defined]

    @click.command("optional")
    def command() -> None:
        click.echo("here I am")

    module.register_commands = lambda group: group.add_command(command)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "optional_plugin", module)
    found = plugin_host.discover

    def discover() -> list[PluginRecord]:
        record = PluginRecord("optional", "optional_plugin")
        plugin_host.load(record)
        return [*found(), record]

    monkeypatch.setattr(plugin_host, "discover", discover)


@pytest.mark.usefixtures("_optional_plugin")
def test_commands_of_plugins_follow_every_option_of_the_root(
    atrio: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No such command" in atrio("optional").output
    assert atrio("--set", "plugins.enabled=optional", "optional").output == "here I am\n"
    data = tmp_path / "data-elsewhere"
    data.mkdir()
    (data / "atrio.toml").write_text('[plugins]\nenabled = ["optional"]\n')
    assert atrio("--data-dir", str(data), "optional").output == "here I am\n"
    assert atrio("--config", str(data / "atrio.toml"), "optional").output == "here I am\n"


HEAVY = ("sqlalchemy", "alembic", "marshmallow", "msgspec", "huey", "starlette", "hypercorn", "apispec", "asyncio")


def _imported(tmp_path: Path, *words: str) -> tuple[str, list[str]]:
    """Run a command in a process of its own; returns what it printed and the modules that it imported."""
    code = (
        "import sys; from atrio.kernel.cli import cli\n"
        f"try: cli({['--data-dir', str(tmp_path), *words]!r}, standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "print('\\n---', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed, _, rest = done.stdout.partition("\n---")
    modules = rest.split()
    assert not {m for m in modules if m.partition(".")[0] in HEAVY}
    assert not {m for m in modules if m.startswith(("atrio.kernel.host", "atrio.kernel.db", "atrio.kernel.http"))}
    return printed, modules


def test_listing_plugins_is_cheap_and_imports_no_plugin_body(tmp_path: Path) -> None:
    """Of each plugin nothing but its `plugin.py`, and nothing heavy at all."""
    listed, modules = _imported(tmp_path, "plugins", "list", "--json")
    assert {"accounts", "core_content"} <= {r["name"] for r in json.loads(listed)}
    bodies = {m for m in modules if m.startswith("atrio.plugins.") and m.count(".") > 2}
    assert bodies
    assert {m.rpartition(".")[2] for m in bodies} == {"plugin"}


def test_help_is_cheap(tmp_path: Path) -> None:
    """The commands of plugins are imported for it, and must not bring the database with them."""
    printed, _ = _imported(tmp_path, "--help")
    assert "mail" in printed


def test_commands_of_plugins_stand_at_the_root_alone() -> None:
    """They once appeared below every group: `atrio config content export`."""
    import rich_click as click

    from atrio.kernel.cli import cli

    ctx = click.Context(cli, info_name="atrio")
    assert {"content", "user", "space"} <= set(cli.list_commands(ctx))
    for name in ("config", "db", "jobs", "plugins"):
        group = cli.get_command(ctx, name)
        assert isinstance(group, click.Group)
        assert not {"content", "user", "space"} & set(group.list_commands(click.Context(group, parent=ctx)))


def test_an_option_that_is_not_given_does_not_hide_a_setting_that_is() -> None:
    from atrio.kernel.commands.settings import Settings

    chosen = Settings(None, None, {"server.bind": "127.0.0.1:9", "storage.data_dir": "/tmp/x"})
    assert chosen.sources(server__bind=None).overrides == {
        "server.bind": "127.0.0.1:9",
        "storage.data_dir": "/tmp/x",
    }
    assert chosen.sources(server__bind="127.0.0.1:8").overrides["server.bind"] == "127.0.0.1:8"


def test_plural_names_of_groups() -> None:
    from click.testing import CliRunner

    from atrio.kernel.cli import cli

    assert CliRunner().invoke(cli, ["users", "list", "--help"]).exit_code == 0
    assert CliRunner().invoke(cli, ["elephants"]).exit_code == 2
