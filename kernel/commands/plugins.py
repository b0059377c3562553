"""`atrio plugins`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ..errors import BootError
from .settings import Settings, print_json, print_table

if TYPE_CHECKING:
    from ..plugins import PluginRecord


@click.group()
def plugins() -> None:
    """List and toggle plugins."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--check", is_flag=True, help="Boot each one and look at the database too.")
@click.pass_obj
def plugins_list(settings: Settings, as_json: bool, check: bool) -> None:
    """List every installed plugin, its state and the reason."""
    records = _checked(settings) if check else _light(settings)
    rows = [r.summary() for r in sorted(records, key=lambda r: r.name)]
    if as_json:
        print_json(rows)
        return
    print_table(
        ["plugin", "state", "summary", "needs", "reason"],
        [[r["name"], r["state"], r["summary"], ", ".join(r["requires"]), r["reason"]] for r in rows],
        colours={"enabled": "green", "disabled": "dim"},
    )


def _light(settings: Settings) -> list[PluginRecord]:
    """Return the plugins by manifests and config alone: nothing of them is imported."""
    from ..config import PluginsConfig, kernel_config
    from ..plugins import discover, in_order, select

    records = discover()
    for warning in select(records, kernel_config(settings.sources())[PluginsConfig]):
        click.echo(f"warning: {warning}", err=True)
    return in_order(records)


def _checked(settings: Settings) -> list[PluginRecord]:
    from ..db import migrate
    from ..plugins import State, block
    from ..schema_state import lineages

    kernel = settings.boot(schema=False)
    with kernel.db.writer.connect() as connection:
        if not migrate.is_empty(connection):
            for lineage in lineages(kernel):
                found = migrate.status(connection, lineage)
                record = kernel.record(lineage.owner)
                if record is not None and record.enabled and found.pending:
                    record.park(State.MIGRATIONS_PENDING, f"type: atrio db upgrade {record.name}")
            block(kernel.records)
    return kernel.records


@plugins.command("info")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def plugins_info(settings: Settings, name: str, as_json: bool) -> None:
    """Show what a plugin declares: settings, routes, events, jobs, tables."""
    from ..lifecycle import describe_plugin

    facts = describe_plugin(settings.boot(schema=False), name)
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, list):
            click.echo(f"{key}:" if value else f"{key}: none")
            for entry in value:
                click.echo(f"  {entry}")
        else:
            click.echo(f"{key}: {value}")


@plugins.command("enable")
@click.argument("name")
@click.option("--upgrade", is_flag=True, help="Apply its pending migrations too.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.pass_obj
def plugins_enable(settings: Settings, name: str, upgrade: bool, dry_run: bool) -> None:
    """Switch a plugin on in the config file; takes effect at the next start or SIGHUP."""
    from ..lifecycle import enable

    for line in enable(settings.sources(), name, upgrade=upgrade, dry_run=dry_run):
        click.echo(line)


@plugins.command("disable")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.pass_obj
def plugins_disable(settings: Settings, name: str, dry_run: bool) -> None:
    """Switch a plugin off; its tables and settings stay, its routes vanish, its jobs are parked."""
    from ..lifecycle import disable

    for line in disable(settings.sources(), name, dry_run=dry_run):
        click.echo(line)


@plugins.command("purge")
@click.argument("name")
@click.option("--yes", "typed", metavar="NAME", help="The plugin's name again, instead of the question.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.pass_obj
def plugins_purge(settings: Settings, name: str, typed: str | None, dry_run: bool) -> None:
    """Delete a plugin's tables and jobs for ever. The only destructive verb; disable it first."""
    from ..lifecycle import purge, purge_plan

    kernel = settings.boot(schema=False)
    for line in purge_plan(kernel, name):
        click.echo(line)
    if dry_run:
        return
    if typed is None:
        typed = click.prompt(f"Type {name} to delete all this", default="", show_default=False)
    if typed != name:
        raise click.ClickException("nothing was deleted")
    for line in purge(kernel, name):
        click.echo(line)


@plugins.command("new")
@click.argument("name")
@click.option("--to", "target", type=click.Path(), help="Folder to write to (default ./atrio-NAME).")
@click.pass_context
def plugins_new(ctx: click.Context, name: str, target: str | None) -> None:
    """Write a working third-party plugin with its tests."""
    from ..scaffold import write_plugin

    command, root = name.replace("_", "-"), ctx.find_root()
    if isinstance(root.command, click.Group) and command in root.command.list_commands(root):
        raise BootError(f"{name}: there is a command atrio {command}")
    for path in write_plugin(name, Path(target) if target else Path(f"atrio-{command}")):
        click.echo(str(path))
