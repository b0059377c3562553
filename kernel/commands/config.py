"""`atrio config`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .settings import Settings, print_json, print_table

if TYPE_CHECKING:
    pass


@click.group()
def config() -> None:
    """Look at the settings, or bring them over."""


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
        print_json(rows)
        return
    print_table(["setting", "value", "from"], [[r["name"], str(r["value"]), str(r["from"])] for r in rows])


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


@config.command("import")
@click.argument("ini", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.ini")
@click.option(
    "--output", default="atrio.toml", type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
@click.option("--environment", is_flag=True, help="Let TRACIM_* variables win over the file.")
@click.option("--force", is_flag=True, help="Write over an existing file.")
def config_import(ini: Path, output: Path, environment: bool, force: bool) -> None:
    """Turn a Tracim development.ini into a config file; exit 1 when a value does not fit.

    Keys without equivalent are named, on standard error and in the file. Secrets are copied, never shown.
    """
    from ..config_import import as_toml, import_settings, write_private

    found = import_settings(ini, dict(os.environ) if environment else {})
    write_private(output, as_toml(found, ini.name), overwrite=force)
    for key, why in found.left_out.items():
        click.echo(f"no equivalent: {key} ({why})", err=True)
    for key, why in found.refused.items():
        click.echo(f"does not fit: {key}: {why}", err=True)
    taken = sum(len(keys) for keys in found.settings.values())
    click.echo(
        f"{taken} setting(s) written to {output}; look at it, then type: atrio --config {output} config check"
    )
    if found.refused:
        sys.exit(1)


@config.command("docs")
@click.pass_obj
def config_docs(settings: Settings) -> None:
    """Print the documentation of every setting as Markdown."""
    from ..config_docs import config_markdown

    click.echo(config_markdown(settings.boot(schema=False)), nl=False)
