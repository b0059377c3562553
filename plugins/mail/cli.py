"""`atrio mail`."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from atrio.kernel.commands.settings import print_json, print_table

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


@click.group()
def mail() -> None:
    """Try mail settings, look after mails that wait, fetch replies."""


@mail.command("test")
@click.argument("address")
@click.option("--lang", default=None, help="Language of the mail.")
@click.pass_obj
def mail_test(settings: Any, address: str, lang: str | None) -> None:
    """Send a mail to ADDRESS now, and say in plain words what is wrong when it does not leave."""
    from .trial import try_out

    kernel = settings.boot()
    lines, fine = try_out(kernel, address, lang)
    for line in lines:
        click.echo(line)
    kernel.db.close()
    if not fine:
        sys.exit(1)


@mail.group("queue")
def queue() -> None:
    """Look after the mails that wait, were sent, or were given up."""


@queue.command("list")
@click.option("--state", multiple=True, help="pending, sending, sent, dead, skipped, digest or digested.")
@click.option("--limit", type=click.IntRange(1, 10000), default=100, show_default=True)
@AS_JSON
@click.pass_obj
def queue_list(settings: Any, state: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List mails, newest first; without --state those that wait or were given up."""
    from atrio.kernel.db.base import iso_utc

    from . import queries

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = queries.listed(ctx, state or ("pending", "sending", "dead"), limit)
    kernel.db.close()
    shown = [
        {
            "id": r.mail_id, "kind": r.kind, "to": r.user_id, "state": r.state, "attempt": r.attempt,
            "created": iso_utc(r.created), "next": iso_utc(r.available), "error": r.error,
        }
        for r in rows
    ]  # fmt: skip
    if as_json:
        print_json(shown)
        return
    head = ["id", "kind", "to", "state", "attempt", "created", "error"]
    print_table(head, [[str(r[name] if r[name] is not None else "") for name in head] for r in shown])


@queue.command("retry")
@click.argument("ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that were given up.")
@click.pass_obj
def queue_retry(settings: Any, ids: tuple[int, ...], everything: bool) -> None:
    """Try mails again now; a running server or worker sends them within a minute."""
    from . import services

    if bool(ids) == everything:
        raise click.UsageError("name some IDS, or --all")
    kernel = settings.boot()
    count = kernel.run(lambda ctx: services.retry(ctx, ids))
    kernel.db.close()
    click.echo(f"{count} mail(s) will be tried")
    if ids and count != len(set(ids)):
        sys.exit(1)


@queue.command("drop")
@click.argument("ids", nargs=-1, type=int, required=True)
@click.pass_obj
def queue_drop(settings: Any, ids: tuple[int, ...]) -> None:
    """Delete mails that are not being sent at this moment."""
    from . import services

    kernel = settings.boot()
    count = kernel.run(lambda ctx: services.drop(ctx, ids))
    kernel.db.close()
    click.echo(f"{count} mail(s) dropped")
    if count != len(set(ids)):
        sys.exit(1)


@queue.command("send")
@click.pass_obj
def queue_send(settings: Any) -> None:
    """Send what is due now, in this process."""
    from .delivery import deliver

    kernel = settings.boot()
    counts = deliver(kernel)
    kernel.db.close()
    click.echo(", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "nothing is due")
    if counts.get("away"):
        sys.exit(1)


@mail.command("fetch")
@click.pass_obj
def mail_fetch(settings: Any) -> None:
    """Look into the inbox once and handle what lies there; says in plain words when it cannot be opened."""
    from .config import MailConfig
    from .incoming.fetcher import empty, open_inbox

    kernel = settings.boot()
    chosen = kernel.config[MailConfig]
    if chosen.incoming == "off":
        raise click.ClickException("replies are off: set mail.incoming to imap or maildir")
    inbox = open_inbox(chosen)
    try:
        inbox.open()
        counts = empty(kernel, inbox)
    except Exception as error:
        raise click.ClickException(f"the inbox cannot be read: {type(error).__name__}: {error}") from error
    finally:
        inbox.close()
        kernel.db.close()
    click.echo(", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "nothing there")


@mail.command("space")
@click.argument("space_id", type=int)
@click.option("--open/--closed", "is_open", default=None, help="Whether members may open threads by mail there.")
@click.option("--for", "user_id", type=int, default=None, help="Print the address that this member writes to.")
@click.pass_obj
def mail_space(settings: Any, space_id: int, is_open: bool | None, user_id: int | None) -> None:
    """Let members of a space open threads by mail, or not; print the address of a member."""
    from . import queries, services

    kernel = settings.boot()
    try:
        if is_open is not None:
            kernel.run(lambda ctx: services.open_space(ctx, space_id, is_open))
        if user_id is not None:
            click.echo(kernel.run(lambda ctx: services.space_address(ctx, space_id, user_id)))
            return
        with kernel.unit(writes=False) as ctx:
            takes = queries.takes_threads(ctx, space_id)
        click.echo(f"space {space_id} takes {'threads' if takes else 'no threads'} by mail")
    finally:
        kernel.db.close()
