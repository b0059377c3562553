"""The `atrio` command. Everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

import atrio

from . import garbage
from .commands.config import config
from .commands.database import db
from .commands.jobs import jobs_group
from .commands.plugins import plugins
from .commands.settings import Settings
from .commands.storage import storage
from .errors import BootError, KernelError

if TYPE_CHECKING:
    pass

click.rich_click.TEXT_MARKUP = "ansi"  # rich.markdown costs 50 ms to import
HELP = {"help_option_names": ["-h", "--help"]}


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
        if found is None and cmd_name.endswith("s"):  # `atrio users list` as well as `atrio user list`
            found = super().get_command(ctx, cmd_name.removesuffix("s"))
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


for _group in (config, plugins, db, jobs_group, storage):
    cli.add_command(_group)


def main() -> None:
    """Run the command line; a refusal is one line on standard error and exit 1."""
    garbage.hold()  # until an instance has booted; what needs none is short
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
