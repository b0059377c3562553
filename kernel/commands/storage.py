"""`atrio storage`."""

from __future__ import annotations

import sys

import rich_click as click

from .settings import Settings, print_json

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


@click.group()
def storage() -> None:
    """Look after stored bytes."""


@storage.command("verify")
@click.option("--quick", is_flag=True, help="Only whether files are there and of the right size.")
@AS_JSON
@click.pass_obj
def storage_verify(settings: Settings, quick: bool, as_json: bool) -> None:
    """Read all stored bytes and compare them with their checksums; exit 1 where something is wrong."""
    from ..storage import verify

    kernel = settings.boot()
    seen = [0]

    def count(number: int) -> None:
        seen[0] += number
        if sys.stderr.isatty() and seen[0] % 100 == 0:
            click.echo(f"\r{seen[0]} looked at", err=True, nl=False)

    faults = list(verify(kernel, content=not quick, progress=count))
    kernel.db.close()
    if as_json:
        print_json({"blobs": seen[0], "faults": [{"digest": f.digest, "fault": f.what} for f in faults]})
    else:
        for fault in faults:
            click.echo(f"{fault.digest}\t{fault.what}")
        click.echo(f"{seen[0]} blobs, {len(faults)} faults")
    if faults:
        sys.exit(1)


@storage.command("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option(
    "--older-than-hours", type=click.IntRange(1), default=24, show_default=True,
    help="Leave alone what was stored later.",
)  # fmt: skip
@AS_JSON
@click.pass_obj
def storage_gc(settings: Settings, dry_run: bool, older_than_hours: int, as_json: bool) -> None:
    """Delete stored bytes that no row names any more, and files that no row knows."""
    from ..storage import collect

    kernel = settings.boot()
    done = collect(kernel, dry_run=dry_run, keep_seconds=older_than_hours * 3600)
    kernel.db.close()
    if as_json:
        print_json({"blobs": done.blobs, "bytes": done.size, "files": done.files, "dry_run": dry_run})
        return
    verb = "would go" if dry_run else "are gone"
    click.echo(f"{done.blobs} blobs with {done.size} bytes {verb}; {done.files} files removed")
