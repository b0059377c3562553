"""`atrio hello`: another door to the same services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel


@click.group("hello")
def commands() -> None:
    """Send and list greetings."""


@commands.command("send")
@click.argument("login")
@click.argument("text")
@click.pass_obj
def send(settings: Any, login: str, text: str) -> None:
    """Send TEXT to the user who signs in as LOGIN."""
    from . import services

    greeting_id = _boot(settings).run(lambda ctx: services.send_greeting(ctx, _user_id(ctx, login), text))
    click.echo(f"greeting {greeting_id} sent")


@commands.command("list")
@click.argument("login")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def list_of_user(settings: Any, login: str, as_json: bool) -> None:
    """List the newest greetings of a user."""
    from . import queries, schemas

    with _boot(settings).unit(writes=False) as ctx:
        rows = queries.OF_USER.all(ctx, user_id=_user_id(ctx, login), limit=500)
    if as_json:
        click.echo(schemas.greeting.encode_all(rows).decode())
        return
    for row in rows:
        click.echo(f"{row.greeting_id}\t{row.text}")


@commands.command("tidy")
@click.pass_obj
def tidy(settings: Any) -> None:
    """Have old greetings deleted now, in the background."""
    from .tasks import TIDY

    _boot(settings).run(lambda ctx: ctx.defer(TIDY))
    click.echo("queued")


def _boot(settings: Any) -> Kernel:
    """Boot an instance; a plugin that is parked (its migrations are pending) says so instead of failing."""
    from atrio.kernel.errors import PluginUnavailable

    kernel: Kernel = settings.boot()
    record = kernel.record("hello")
    if record is None or not record.enabled:
        raise PluginUnavailable(f"hello is not running: {record.reason if record else 'not installed'}")
    return kernel


def _user_id(ctx: Context, login: str) -> int:
    from atrio.plugins.accounts.api import UserNotFound, by_login

    user = by_login(ctx, login)
    if user is None:
        raise UserNotFound(f"no user has the login {login}")
    return int(user.user_id)
