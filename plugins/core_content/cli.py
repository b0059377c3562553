"""`atrio content`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from .transfer import Progress, Report


@click.group()
def content() -> None:
    """Bring folders of files in and out."""


@content.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--space", required=True, metavar="NAME", help="Space to fill; made when it is not there.")
@click.option("--as", "login", metavar="LOGIN", help="Who acts (default: the first administrator).")
@click.pass_obj
def content_import(settings: Any, folder: Path, space: str, login: str | None) -> None:
    """Bring a folder of files into a space; run it again to go on where it stopped."""
    from .transfer import import_tree, measure, open_transfer

    kernel = settings.boot()
    transfer = open_transfer(kernel, space, login, create=True)
    count, size = measure(folder)
    with _bar("importing", size) as progress:
        report = import_tree(transfer, folder, progress)
    kernel.db.close()
    _tell(report, f"{count} file(s) into space {transfer.space_id}")


@content.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--space", required=True, metavar="NAME", help="Space to write out.")
@click.option("--as", "login", metavar="LOGIN", help="Who acts (default: the first administrator).")
@click.pass_obj
def content_export(settings: Any, folder: Path, space: str, login: str | None) -> None:
    """Write a space to a folder; run it again to go on where it stopped."""
    from .transfer import export_tree, open_transfer

    kernel = settings.boot()
    transfer = open_transfer(kernel, space, login, create=False)
    with _bar("exporting", None) as progress:
        report = export_tree(transfer, folder, progress)
    kernel.db.close()
    _tell(report, f"space {transfer.space_id} to {folder}")


@contextmanager
def _bar(word: str, total: int | None) -> Iterator[Progress | None]:
    """Show progress where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), TextColumn("{task.fields[name]}", markup=False),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(word, total=total, name="")
        yield lambda size, name: bar.update(task, advance=size, name=name[-40:])


def _tell(report: Report, what: str) -> None:
    click.echo(
        f"{what}: {report.created} new, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.folders} folder(s), {report.size} bytes"
    )
    for problem in report.problems:
        click.echo(f"left out: {problem}", err=True)
    if report.problems:
        sys.exit(1)
