"""The `atrio` command. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

import atrio

from .errors import BootError, KernelError

if TYPE_CHECKING:
    from .config import Sources
    from .host import Kernel
    from .plugins import PluginRecord

click.rich_click.TEXT_MARKUP = "ansi"  # rich.markdown costs 50 ms to import
HELP = {"help_option_names": ["-h", "--help"]}


class Settings:
    """What the options of the root command chose."""

    def __init__(self, config: str | None, data_dir: str | None, overrides: dict[str, Any]) -> None:
        self.config = config
        self.data_dir = data_dir
        self.overrides = overrides

    def sources(self, **more: Any) -> Sources:
        """Return the config sources of this call."""
        from .config import Sources

        chosen = {**self.overrides, "storage.data_dir": self.data_dir}
        chosen.update({k.replace("__", "."): v for k, v in more.items()})
        return Sources.load(self.config, overrides=chosen)

    def boot(self, *, schema: bool = True, **more: Any) -> Kernel:
        """Boot an instance for a command."""
        from .host import boot
        from .logs import configure_logging

        kernel = boot(self.sources(**more), schema=schema)
        configure_logging(kernel.config)
        return kernel


class PluginGroup(click.RichGroup):
    """The root group: plugins add their commands when one of them is asked for or help is shown."""

    _loaded = False

    def _load_plugins(self, ctx: click.Context) -> None:
        if self._loaded:
            return
        self._loaded = True
        from .config import PluginsConfig, kernel_config
        from .plugins import discover, select

        # The root callback runs after the command was looked up, so its options are read here.
        given = ctx.find_root().params
        try:
            overrides = _overrides(given.get("pairs") or ())
            settings = Settings(given.get("config"), given.get("data_dir"), overrides)
            choice = kernel_config(settings.sources())[PluginsConfig]
        except (BootError, click.BadParameter):
            choice = PluginsConfig()
        records = discover()
        select(records, choice)
        for record in records:
            add = getattr(record.module, "register_commands", None)
            if record.enabled and add is not None:
                try:
                    add(self)
                except Exception as error:
                    click.echo(f"commands of plugin {record.name} are missing: {error}", err=True)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, the kernel's own without touching a plugin."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            self._load_plugins(ctx)
            found = super().get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List all commands."""
        self._load_plugins(ctx)
        return sorted(super().list_commands(ctx))


def _overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    for pair in pairs:
        name, sep, value = pair.partition("=")
        if not sep or "." not in name:
            raise click.BadParameter(f"{pair!r} is not SECTION.KEY=VALUE", param_hint="--set")
        overrides[name] = value
    return overrides


@click.group(cls=PluginGroup, context_settings=HELP)
@click.version_option(atrio.__version__, prog_name="atrio")
@click.option("--config", type=click.Path(), help="TOML file (ATRIO_CONFIG; else ./atrio.toml).")
@click.option("--data-dir", type=click.Path(), help="Data directory (ATRIO_DATA_DIR; else ./data).")
@click.option("--set", "pairs", multiple=True, metavar="SECTION.KEY=VALUE", help="Override one setting.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, data_dir: str | None, pairs: tuple[str, ...]) -> None:
    """Atrio, a team-collaboration server whose every feature is a plugin."""
    ctx.obj = Settings(config, data_dir, _overrides(pairs))


@cli.command()
@click.option("--bind", help="Address and port (ATRIO_BIND; default 127.0.0.1:8080).")
@click.option("--workers", type=click.IntRange(1, 64), help="Server processes.")
@click.option("--tls-cert", type=click.Path(exists=True), help="PEM certificate chain: HTTPS and HTTP/2.")
@click.option("--tls-key", type=click.Path(exists=True), help="PEM private key.")
@click.pass_obj
def serve(
    settings: Settings, bind: str | None, workers: int | None, tls_cert: str | None, tls_key: str | None
) -> None:
    """Serve the instance; an empty database is initialised first. Ctrl-C ends, SIGHUP restarts."""
    from .serve import describe
    from .serve import serve as run_server

    kernel = settings.boot(
        server__bind=bind, server__workers=workers, server__tls_cert=tls_cert, server__tls_key=tls_key
    )
    for line in describe(kernel):
        click.echo(line)
    sys.stdout.flush()
    sys.exit(run_server(kernel))


@cli.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Run background jobs without serving (with Redis, or beside several servers)."""
    from .serve import work

    kernel = settings.boot()
    click.echo("worker ready")
    sys.exit(work(kernel))


# -- config ------------------------------------------------------------------------------------------------


@cli.group()
def config() -> None:
    """Look at the settings."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def config_show(settings: Settings, as_json: bool) -> None:
    """Show every setting in force and where it comes from; secrets are hidden."""
    kernel = settings.boot(schema=False)
    rows = []
    for opt in kernel.config.options():
        value = getattr(kernel.config[kernel.config.sections[opt.section].shape], opt.key)
        hidden = opt.secret and bool(value)
        shown: Any = "<hidden>" if hidden else (list(value) if isinstance(value, tuple) else value)
        rows.append(
            {
                "name": opt.name,
                "value": str(shown) if isinstance(shown, Path) else shown,
                "from": kernel.config.origin[opt.name],
            }
        )
    if as_json:
        _print_json(rows)
        return
    _table(["setting", "value", "from"], [[r["name"], str(r["value"]), str(r["from"])] for r in rows])


@config.command("check")
@click.pass_obj
def config_check(settings: Settings) -> None:
    """Check file, environment and plugins; exit 1 and say what is wrong."""
    kernel = settings.boot(schema=False)
    bad = [r for r in kernel.records if not r.enabled and str(r.state) != "disabled"]
    for warning in kernel.warnings:
        click.echo(f"warning: {warning}")
    for record in bad:
        click.echo(f"{record.name}: {record.state}: {record.reason}")
    if bad or kernel.warnings:
        sys.exit(1)
    click.echo(f"ok ({kernel.sources.path if kernel.sources.file else 'no file, defaults'})")


@config.command("docs")
@click.pass_obj
def config_docs(settings: Settings) -> None:
    """Print the documentation of every setting as Markdown."""
    from .config_docs import config_markdown

    click.echo(config_markdown(settings.boot(schema=False)), nl=False)


# -- plugins -----------------------------------------------------------------------------------------------


@cli.group()
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
        _print_json(rows)
        return
    _table(
        ["plugin", "state", "summary", "needs", "reason"],
        [[r["name"], r["state"], r["summary"], ", ".join(r["requires"]), r["reason"]] for r in rows],
        colours={"enabled": "green", "disabled": "dim"},
    )


def _light(settings: Settings) -> list[PluginRecord]:
    """Return the plugins by manifests and config alone: nothing of them is imported."""
    from .config import PluginsConfig, kernel_config
    from .plugins import discover, in_order, select

    records = discover()
    for warning in select(records, kernel_config(settings.sources())[PluginsConfig]):
        click.echo(f"warning: {warning}", err=True)
    return in_order(records)


def _checked(settings: Settings) -> list[PluginRecord]:
    from .db import migrate
    from .plugins import State, block
    from .schema_state import lineages

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
    from .lifecycle import describe_plugin

    facts = describe_plugin(settings.boot(schema=False), name)
    if as_json:
        _print_json(facts)
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
    from .lifecycle import enable

    for line in enable(settings.sources(), name, upgrade=upgrade, dry_run=dry_run):
        click.echo(line)


@plugins.command("disable")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.pass_obj
def plugins_disable(settings: Settings, name: str, dry_run: bool) -> None:
    """Switch a plugin off; its tables and settings stay, its routes vanish, its jobs are parked."""
    from .lifecycle import disable

    for line in disable(settings.sources(), name, dry_run=dry_run):
        click.echo(line)


@plugins.command("purge")
@click.argument("name")
@click.option("--yes", "typed", metavar="NAME", help="The plugin's name again, instead of the question.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.pass_obj
def plugins_purge(settings: Settings, name: str, typed: str | None, dry_run: bool) -> None:
    """Delete a plugin's tables and jobs for ever. The only destructive verb; disable it first."""
    from .lifecycle import purge, purge_plan

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
    from .scaffold import write_plugin

    command, root = name.replace("_", "-"), ctx.find_root()
    if isinstance(root.command, click.Group) and command in root.command.list_commands(root):
        raise BootError(f"{name}: there is a command atrio {command}")
    for path in write_plugin(name, Path(target) if target else Path(f"atrio-{command}")):
        click.echo(str(path))


# -- database ----------------------------------------------------------------------------------------------


@cli.group()
def db() -> None:
    """Initialise and migrate the database."""


@db.command("init")
@click.pass_obj
def db_init(settings: Settings) -> None:
    """Create every table in an empty database and the first administrator."""
    from .db import migrate
    from .schema_state import initialise

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
    from .db import migrate
    from .schema_state import lineages

    kernel = settings.boot(schema=False)
    with kernel.db.writer.connect() as connection:
        found = [migrate.status(connection, lineage) for lineage in lineages(kernel)]
    rows = [{"owner": s.owner, "current": s.current, "head": s.head, "pending": s.pending} for s in found]
    if as_json:
        _print_json(rows)
    else:
        _table(
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
    from .schema_state import upgrade

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
    from .db import migrate

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
    from .db import migrate
    from .schema_state import lineages

    kernel = settings.boot(schema=False)
    bad = False
    with kernel.db.writer.connect() as connection:
        for lineage in lineages(kernel):
            changes = migrate.differences(connection, lineage, kernel.lineages)
            bad = bad or bool(changes)
            click.echo(f"{lineage.owner}: {'ok' if not changes else 'differs'}")
            for change in changes:
                click.echo(f"  {change}")
    if bad:
        sys.exit(1)


def _known_owners(kernel: Kernel, names: tuple[str, ...]) -> None:
    from .config import did_you_mean

    for name in names:
        if name not in kernel.lineages:
            raise click.ClickException(f"{name} has no migrations{did_you_mean(name, kernel.lineages)}")


# -- jobs --------------------------------------------------------------------------------------------------


@cli.group("jobs")
def jobs_group() -> None:
    """Look at background jobs."""


@jobs_group.command("list")
@click.option("--state", multiple=True, help="pending, leased, done, dead or parked.")
@click.option("--limit", type=click.IntRange(1, 10000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def jobs_list(settings: Settings, state: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    from . import jobs
    from .db.base import iso_utc

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = jobs.list_jobs(ctx, state, limit)
    shown = [
        {
            "id": r.id, "job": r.job, "event": r.event, "state": r.state, "attempt": r.attempt,
            "created": iso_utc(r.created), "error": r.error,
        }
        for r in rows
    ]  # fmt: skip
    if as_json:
        _print_json(shown)
        return
    _table(
        ["id", "job", "state", "attempt", "created", "error"],
        [
            [str(r["id"]), str(r["job"]), str(r["state"]), str(r["attempt"]), str(r["created"]),
             str(r["error"] or "")[:80]]
            for r in shown
        ],
    )  # fmt: skip


@jobs_group.command("retry")
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def jobs_retry(settings: Settings, ids: tuple[str, ...]) -> None:
    """Try dead or waiting jobs again now."""
    from . import jobs

    kernel = settings.boot()
    count = kernel.run(lambda ctx: jobs.retry(ctx, ids))
    kernel.jobs.wake(ids)
    click.echo(f"{count} job(s) will run")
    if count != len(ids):
        sys.exit(1)


@jobs_group.command("drop")
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def jobs_drop(settings: Settings, ids: tuple[str, ...]) -> None:
    """Delete jobs that are not running."""
    from . import jobs

    kernel = settings.boot()
    count = kernel.run(lambda ctx: jobs.drop(ctx, ids))
    click.echo(f"{count} job(s) dropped")
    if count != len(ids):
        sys.exit(1)


# -- output ------------------------------------------------------------------------------------------------


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def _table(head: list[str], rows: list[list[str]], colours: dict[str, str] | None = None) -> None:
    """Print a table; without a terminal one tab-separated line a row."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        style = next((c for word, c in (colours or {}).items() if word in row), None)
        table.add_row(*row, style=style)
    Console().print(table)


def main() -> None:
    """Run the command line; a refusal is one line on standard error and exit 1."""
    try:
        cli(prog_name="atrio")
    except BootError as error:
        click.echo(f"atrio: {error}", err=True)
        sys.exit(1)
    except KernelError as error:
        click.echo(f"atrio: {error.in_words()}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
