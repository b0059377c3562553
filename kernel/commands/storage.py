"""`atrio storage`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from .settings import Settings, print_json

if TYPE_CHECKING:
    from ..blobs import BlobStore
    from ..host import Kernel

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
STORE = click.option("--store", help="Another store than that of storage.blobs: local, or what a plugin offers.")


@click.group()
def storage() -> None:
    """Look after stored bytes."""


def _boot(settings: Settings) -> Kernel:
    kernel = settings.boot()
    kernel.blobs.check()
    return kernel


def _store(kernel: Kernel, name: str | None) -> BlobStore:
    from ..config import StorageConfig
    from ..stores import open_store

    if name is None or name == kernel.config[StorageConfig].blobs:
        return kernel.blobs
    found = open_store(kernel, name)
    found.check()
    return found


def _close(kernel: Kernel, *stores: BlobStore) -> None:
    for store in stores:
        store.close()
    kernel.blobs.close()
    kernel.db.close()


def _show(text: str, count: int, every: int = 100) -> None:
    """Show on a terminal how far it is."""
    if sys.stderr.isatty() and count % every == 0:
        click.echo(f"\r{text}", err=True, nl=False)


@storage.command("verify")
@click.option("--quick", is_flag=True, help="Only whether files are there and of the right size.")
@STORE
@AS_JSON
@click.pass_obj
def storage_verify(settings: Settings, quick: bool, store: str | None, as_json: bool) -> None:
    """Read all stored bytes and compare them with their checksums; exit 1 where something is wrong."""
    from ..storage import verify

    kernel = _boot(settings)
    looked = _store(kernel, store)
    seen = [0]

    def count(number: int) -> None:
        seen[0] += number
        _show(f"{seen[0]} looked at", seen[0])

    faults = list(verify(kernel, looked, content=not quick, progress=count))
    _close(kernel, looked)
    if as_json:
        print_json({"blobs": seen[0], "faults": _plain(faults)})
    else:
        _print(faults)
        click.echo(f"{seen[0]} blobs, {len(faults)} faults")
    if faults:
        sys.exit(1)


def _plain(faults: list[Any]) -> list[dict[str, str]]:
    return [{"digest": f.digest, "fault": f.what} for f in faults]


def _print(faults: list[Any]) -> None:
    for fault in faults:
        click.echo(f"{fault.digest}\t{fault.what}")


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

    kernel = _boot(settings)
    done = collect(kernel, dry_run=dry_run, keep_seconds=older_than_hours * 3600)
    _close(kernel)
    if as_json:
        print_json({"blobs": done.blobs, "bytes": done.size, "files": done.files, "dry_run": dry_run})
        return
    verb = "would go" if dry_run else "are gone"
    click.echo(f"{done.blobs} blobs with {done.size} bytes {verb}; {done.files} files removed")


@storage.command("migrate")
@click.option("--to", "target", required=True, help="The store to fill: local, or what a plugin offers.")
@click.option("--from", "source", help="The store to read; else that of storage.blobs.")
@click.option("--dry-run", is_flag=True, help="Only say what would be copied.")
@AS_JSON
@click.pass_obj
def storage_migrate(settings: Settings, target: str, source: str | None, dry_run: bool, as_json: bool) -> None:
    """Copy all stored bytes to another store; may be ended, begun again, and run while the server does.

    What is there is not copied again, nothing is deleted. Exit 1 where something could not be copied.
    """
    from ..config import StorageConfig
    from ..storage import Migrated, migrate

    kernel = _boot(settings)
    name = source or kernel.config[StorageConfig].blobs
    if name == target:
        raise click.UsageError(f"that is from {name} to itself; give --from")
    stores = _store(kernel, name), _store(kernel, target)

    def count(done: Migrated) -> None:
        seen = done.copied + done.present + len(done.faults)
        _show(f"{seen} looked at, {done.copied} copied, {done.size} bytes", seen, 10)

    done = migrate(kernel, *stores, dry_run=dry_run, progress=count)
    _close(kernel, *stores)
    if as_json:
        print_json(
            {
                "from": name, "to": target, "copied": done.copied, "bytes": done.size, "present": done.present,
                "faults": _plain(done.faults), "dry_run": dry_run,
            }
        )  # fmt: skip
    else:
        _print(done.faults)
        verb = "would be copied" if dry_run else "copied"
        click.echo(
            f"{done.copied} blobs with {done.size} bytes {verb}, {done.present} were there, "
            f"{len(done.faults)} faults"
        )
    if done.faults:
        sys.exit(1)


@storage.command("clear")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@AS_JSON
@click.pass_obj
def storage_clear(settings: Settings, name: str, dry_run: bool, as_json: bool) -> None:
    """Empty a store that is no longer in use, after a migration; exit 1 where something had to stay.

    Only what the store in use holds as well is deleted, and what no row names.
    """
    from ..config import StorageConfig
    from ..storage import clear

    kernel = _boot(settings)
    if name == kernel.config[StorageConfig].blobs:
        raise click.UsageError(f"{name} is the store in use")
    old = _store(kernel, name)
    gone, kept = clear(kernel, old, dry_run=dry_run)
    _close(kernel, old)
    if as_json:
        print_json({"store": name, "blobs": gone, "kept": kept, "dry_run": dry_run})
    else:
        verb = "would go" if dry_run else "are gone"
        click.echo(f"{gone} blobs {verb}, {kept} stay that the store in use lacks")
    if kept:
        sys.exit(1)
