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
    """Bring folders of files in and out, look at contents, delete them for good."""


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


@content.command("show")
@click.argument("content_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def content_show(settings: Any, content_id: int, as_json: bool) -> None:
    """Show what is known of a content, its revisions and what lies below it; no text."""
    import json

    from . import queries, services

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        way = queries.WAY.all(ctx, content_id=content_id)
        row = queries.one(ctx, way[-1].space_id, content_id) if way else None
        if row is None:
            raise click.ClickException(f"no content has the id {content_id}")
        statement = queries.revisions_statement(ctx, "modified", False, "", False)
        revisions = statement.all(ctx, content_id=content_id)
        below = services.children_of(ctx, content_id)
    kernel.db.close()
    facts = {
        "content_id": content_id, "type": row.content_type, "label": row.label, "space_id": row.workspace_id,
        "parent_id": row.parent_id, "path": [step.label for step in way], "status": row.status,
        "trashed": row.trashed_at is not None, "archived": row.archived_at is not None, "below": below,
        "revisions": [
            {"revision_id": r.revision_id, "number": r.version_number, "type": r.revision_type, "size": r.size}
            for r in revisions
        ],
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        if name != "revisions":
            click.echo(f"{name}: {value}")
    for r in revisions:
        click.echo(f"revision {r.revision_id}\t{r.version_number}\t{r.revision_type}\t{r.size or ''}")


@content.command("delete")
@click.argument("content_ids", type=int, nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Also what is not in the trash.")
@click.option("--dry-run", is_flag=True, help="Say what would go, delete nothing.")
@click.pass_obj
def content_delete(settings: Any, content_ids: tuple[int, ...], force: bool, dry_run: bool) -> None:
    """Delete contents for good, with everything below them; refused for what is not in the trash."""
    from . import queries, services

    def act(ctx: Any) -> list[str]:
        told = []
        for content_id in content_ids:
            way = queries.WAY.all(ctx, content_id=content_id)
            row = queries.one(ctx, way[-1].space_id, content_id) if way else None
            if row is None:
                raise click.ClickException(f"no content has the id {content_id}")
            if row.trashed_at is None and not force:
                raise click.ClickException(f"content {content_id} is not in the trash; with --force it goes")
            below = services.children_of(ctx, content_id)
            told.append(f"{row.label} ({content_id}) and {below} below it")
            if not dry_run:
                services.purge(ctx, row)
        return told

    kernel = settings.boot()
    told = kernel.run(act)
    kernel.db.close()
    for line in told:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {line}")


@content.command("delete-revision")
@click.argument("revision_ids", type=int, nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Say what would go, delete nothing.")
@click.pass_obj
def content_delete_revision(settings: Any, revision_ids: tuple[int, ...], dry_run: bool) -> None:
    """Delete revisions for good; the only one of a content is refused."""
    from . import services

    class _Undo(Exception):
        pass

    told: list[str] = []

    def act(ctx: Any) -> None:
        told.clear()
        told.extend(f"revision {r} of content {services.delete_revision(ctx, r)}" for r in revision_ids)
        if dry_run:
            raise _Undo

    kernel = settings.boot()
    try:
        kernel.run(act)
    except _Undo:
        pass
    finally:
        kernel.db.close()
    for line in told:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {line}")


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
