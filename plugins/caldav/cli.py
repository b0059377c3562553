"""`atrio caldav`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click


@click.group()
def caldav() -> None:
    """Calendars and address books: files in and out, a Radicale folder."""


def _holding(ctx: Any, login: str, name: str | None) -> Any:
    """Return a collection of a user; `name` is the last part of its address, his own calendar without one."""
    from atrio.plugins.accounts.api import by_login

    from . import holdings, places, transfer

    user = by_login(ctx, login)
    if user is None:
        raise click.ClickException(f"nobody has the login {login}")
    place = places.parse(f"user_{user.user_id}/{name or f'user_{user.user_id}_calendar'}")
    if place is None or place.kind != "collection" or place.href is not None:
        raise click.ClickException(f"{name} is no name of a collection")
    found = holdings.find(ctx, transfer.seen_of(ctx, user.user_id), place)
    if not found.exists:
        raise click.ClickException(f"{login} has no collection {name}")
    return found


@caldav.command("list")
@click.argument("login")
@click.pass_obj
def list_(settings: Any, login: str) -> None:
    """List what lies in a user's home: name, kind, label."""
    from . import holdings, transfer

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        own = _holding(ctx, login, None)
        found = holdings.home(ctx, transfer.seen_of(ctx, own.place.user_id))
    kernel.db.close()
    for holding in found:
        click.echo(f"{holding.place.name}\t{holding.tag}\t{holding.props().get(holdings.NAME, '')}")


@caldav.command("export")
@click.argument("login")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--collection", help="Last part of its address; the user's own calendar without it.")
@click.pass_obj
def export(settings: Any, login: str, file: Path, collection: str | None) -> None:
    """Write everything in a calendar or an address book into one file."""
    from . import transfer

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        text = transfer.export(ctx, _holding(ctx, login, collection))
    kernel.db.close()
    file.write_bytes(text.encode("utf-8", "replace"))
    click.echo(f"{file}: {len(text)} characters")


@caldav.command("import")
@click.argument("login")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--collection", help="Last part of its address; the user's own calendar without it.")
@click.pass_obj
def import_(settings: Any, login: str, file: Path, collection: str | None) -> None:
    """Read an .ics or .vcf file into a calendar or an address book; again changes nothing."""
    from . import imports, services
    from .texts import Unreadable

    kernel = settings.boot()
    try:
        with kernel.unit(writes=False) as ctx:
            holding = _holding(ctx, login, collection)

        def act(ctx: Any, page: Any) -> Any:
            held = services.hold(ctx, holding.place)
            if held is None:
                raise click.ClickException("the collection is gone")
            return imports.store(ctx, held, page)

        found = imports.read_file(file.read_bytes(), holding.tag)
        report = imports.store_all(found, lambda page: kernel.run(lambda ctx: act(ctx, page)))
    except Unreadable as error:
        raise click.ClickException(f"{file}: {error}") from None
    finally:
        kernel.db.close()
    _say(str(file), report)
    if report.told["refused"]:
        raise SystemExit(1)


def _say(what: str, report: Any) -> None:
    from .imports import OUTCOMES

    click.echo(f"{what}: {', '.join(f'{report.told[name]} {name}' for name in OUTCOMES)}")
    for one in report.refused:
        click.echo(f"{what}: entry {one.index} ({one.uid or 'without a UID'}) is refused: {one.reason}", err=True)


@caldav.command("import-radicale")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be read, store nothing.")
@click.pass_obj
def import_radicale(settings: Any, folder: Path, dry_run: bool) -> None:
    """Read the collections that a Radicale server kept in a folder; again changes nothing."""
    from . import imports

    kernel = settings.boot()
    failed = False
    try:
        with kernel.unit(writes=False) as ctx:
            found = list(imports.radicale_collections(ctx, folder))
        for one in found:
            if isinstance(one, str):
                click.echo(one, err=True)
                failed = True
                continue
            report = _read(kernel, one, store=not dry_run)
            failed = failed or bool(report.told["refused"])
            if dry_run:
                read, refused = report.told["read"], report.told["refused"]
                click.echo(f"{one.folder}: {read} entries for {one.place.key}, {refused} refused")
            else:
                _say(f"{one.folder} → {one.place.key}", report)
    finally:
        kernel.db.close()
    if failed:
        raise SystemExit(1)


def _read(kernel: Any, one: Any, *, store: bool) -> Any:
    from atrio.kernel.errors import RetryWork

    from . import imports

    def act(page: Any) -> Any:
        report = imports.Report()
        if not store:
            report.told["read"] = len(page)
            return report
        try:
            return kernel.run(lambda ctx: imports.store(ctx, imports.hold_collection(ctx, one), page))
        except RetryWork:  # a user or a space that is not here
            for ready in page:
                report.refuse(imports.Refused(ready.index, ready.href, "no such user or space"))
            return report

    return imports.store_all(imports.radicale_entries(one), act)
