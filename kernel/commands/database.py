"""`atrio db`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from .settings import Settings, print_json, print_table

if TYPE_CHECKING:
    from ..host import Kernel


@click.group()
def db() -> None:
    """Initialise and migrate the database."""


@db.command("init")
@click.pass_obj
def db_init(settings: Settings) -> None:
    """Create every table in an empty database and the first administrator."""
    from ..db import migrate
    from ..schema_state import initialise

    kernel = settings.boot(schema=False)
    with kernel.db.writer.connect() as connection:
        if not migrate.is_empty(connection):
            raise click.ClickException("the database is not empty; see: atrio db status")
    initialise(kernel)
    click.echo("initialised")


@db.command("status")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def db_status(settings: Settings, as_json: bool) -> None:
    """Show where each plugin's tables stand; exit 1 when something is pending."""
    from ..db import migrate
    from ..schema_state import lineages

    kernel = settings.boot(schema=False)
    with kernel.db.writer.connect() as connection:
        found = [migrate.status(connection, lineage) for lineage in lineages(kernel)]
    rows = [{"owner": s.owner, "current": s.current, "head": s.head, "pending": s.pending} for s in found]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ["owner", "database", "code", "state"],
            [
                [s.owner, s.current or "nothing", s.head or "nothing", "pending" if s.pending else "ok"]
                for s in found
            ],
        )
    if any(s.pending for s in found):
        sys.exit(1)


@db.command("upgrade")
@click.argument("names", nargs=-1)
@click.pass_obj
def db_upgrade(settings: Settings, names: tuple[str, ...]) -> None:
    """Apply pending migrations, of all plugins or of those named, in dependency order."""
    from ..schema_state import upgrade

    kernel = settings.boot(schema=False)
    _known_owners(kernel, names)
    done = upgrade(kernel, names)
    click.echo(f"upgraded: {', '.join(done)}" if done else "nothing to do")


@db.command("downgrade")
@click.argument("name")
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def db_downgrade(settings: Settings, name: str, revision: str, yes: bool) -> None:
    """Undo a plugin's migrations down to REVISION; data of undone tables is lost."""
    from ..db import migrate

    kernel = settings.boot(schema=False)
    _known_owners(kernel, (name,))
    if revision == "base":
        raise click.ClickException(f"that would delete everything: atrio plugins purge {name}")
    if not yes:
        click.confirm(f"Undo migrations of {name} down to {revision}?", abort=True)
    with migrate.migrating(kernel.db) as connection:
        migrate.downgrade(connection, kernel.lineages[name], revision)
    click.echo(f"{name} is at {revision}")


@db.command("check")
@click.pass_obj
def db_check(settings: Settings) -> None:
    """Compare models and tables, plugin by plugin; exit 1 when they differ."""
    from ..db import migrate
    from ..schema_state import lineages

    kernel = settings.boot(schema=False)
    owners = {*kernel.lineages, *(record.name for record in kernel.records)}  # also those that are switched off
    bad = False
    with kernel.db.writer.connect() as connection:
        for lineage in lineages(kernel):
            changes = migrate.differences(connection, lineage, owners)
            bad = bad or bool(changes)
            click.echo(f"{lineage.owner}: {'ok' if not changes else 'differs'}")
            for change in changes:
                click.echo(f"  {change}")
    if bad:
        sys.exit(1)


def _known_owners(kernel: Kernel, names: tuple[str, ...]) -> None:
    from ..config import did_you_mean

    for name in names:
        if name not in kernel.lineages:
            raise click.ClickException(f"{name} has no migrations{did_you_mean(name, kernel.lineages)}")
