"""`atrio user`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rich_click as click

PROFILES = click.Choice(["users", "trusted-users", "administrators"])
Command = Callable[..., None]


@click.group()
def user() -> None:
    """Create, change and remove accounts. LOGIN is an e-mail address or a username."""


def _fields(command: Command) -> Command:
    """Give a command the options of an account."""
    for option in (
        click.option("--allowed-space", "--allowed_space", type=int, help="Bytes; 0: no limit."),
        click.option("--timezone", help="Time zone, for example Europe/Paris."),
        click.option("--lang", help="Language, for example en."),
        click.option("--profile", type=PROFILES, help="Rights in the instance."),
        click.option("--public-name", help="Name that others see."),
        click.option("-p", "--password", help="Password."),
        click.option("-u", "--username", help="Username; letters, digits, - _ ."),
        click.option("-e", "--email", help="Address; with it people sign in."),
    ):
        command = option(command)
    return command


def _json(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Machine-readable.")(command)


# -- making and changing ---------------------------------------------------------------------------------------


@user.command("create")
@_fields
@click.option("--no-password", is_flag=True, help="Without a password; see atrio user reset-link.")
@click.option("--send-email", is_flag=True, help="Write to the owner of the account, where mail is on.")
@_json
@click.pass_obj
def user_create(settings: Any, /, no_password: bool, send_email: bool, as_json: bool, **given: Any) -> None:
    """Create an account; a password is asked for when none is given."""
    from atrio.kernel.http.schema import load

    from .passwords import hash_password
    from .schemas import UserCreationSchema
    from .services import create_user

    if given["password"] is None and not no_password:
        given["password"] = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    values = load(UserCreationSchema(), _set(given))
    name, email = values["email"] or ("", None)
    hashed = hash_password(values["password"]) if values["password"] else None
    kernel = settings.boot()
    user_id = kernel.run(
        lambda ctx: create_user(
            ctx, email=email, username=values["username"], password_hash=hashed, profile=values["profile"],
            public_name=values["public_name"] or name or None, timezone=values["timezone"],
            lang=values["lang"], allowed_space=values["allowed_space"], creation_type="cli", notify=send_email,
        )
    )  # fmt: skip
    if as_json:
        _print(kernel, user_id)
    else:
        click.echo(f"User created ({user_id})")


@user.command("update")
@click.argument("login")
@_fields
@_json
@click.pass_obj
def user_update(settings: Any, /, login: str, as_json: bool, **given: Any) -> None:
    """Change an account; what is not named stays."""
    from atrio.kernel.http.schema import load

    from . import services
    from .passwords import hash_password
    from .schemas import UserUpdateSchema

    values = load(UserUpdateSchema(), _set(given))
    if not values:
        raise click.UsageError("nothing to change")
    password = values.pop("password", None)
    hashed = hash_password(password) if password else None
    if "profile" in values:
        values["profile"] = services.LEVELS[values["profile"]]

    def change(ctx: Any) -> int:
        row = _user(ctx, login)
        if values.get("profile", 3) < 3:
            _refuse_last_administrator(ctx, row)
        services.update_user(ctx, row.user_id, **values)
        if hashed:
            services.set_password(ctx, row.user_id, hashed)
        return int(row.user_id)

    kernel = settings.boot()
    user_id = kernel.run(change)
    if as_json:
        _print(kernel, user_id)
    else:
        click.echo(f"User updated ({user_id})")


@user.command("password")
@click.argument("login")
@click.option("-p", "--password", help="New password; asked for when absent.")
@click.pass_obj
def user_password(settings: Any, login: str, password: str | None) -> None:
    """Set a password; the account's sessions end."""
    from . import services
    from .passwords import hash_password

    new = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not 6 <= len(new) <= 512:
        raise click.ClickException("a password has 6 to 512 characters")
    hashed = hash_password(new)
    settings.boot().run(lambda ctx: services.set_password(ctx, _user(ctx, login).user_id, hashed))
    click.echo("password set")


@user.command("reset-link")
@click.argument("login")
@click.option("--welcome", is_flag=True, help="With the longer life of a link for a new account.")
@_json
@click.pass_obj
def user_reset_link(settings: Any, login: str, welcome: bool, as_json: bool) -> None:
    """Print a link with which the owner of an account sets a password, once; whoever has it can do so."""
    from .api import make_reset_token, reset_link
    from .services import refuse_external_password

    def make(ctx: Any) -> tuple[str, str]:
        row = _user(ctx, login)
        refuse_external_password(row)
        if not row.email:
            raise click.ClickException("an account without an address has no link: atrio user password")
        if row.is_deleted or not row.is_active:
            raise click.ClickException("the account is disabled or deleted")
        return row.email, reset_link(ctx, row.email, make_reset_token(ctx, row.user_id, welcome=welcome))

    from atrio.kernel.commands.settings import print_json

    email, link = settings.boot().run(make)
    if as_json:
        print_json({"email": email, "link": link})
    else:
        click.echo(link)


# -- application tokens ------------------------------------------------------------------------------------------


@user.command("token-create")
@click.argument("login")
@click.argument("label")
@click.option("--days", type=click.IntRange(1, 3660), help="Good for so many days; otherwise until it is ended.")
@_json
@click.pass_obj
def token_create(settings: Any, login: str, label: str, days: int | None, as_json: bool) -> None:
    """Print a new password for one program of an account; it is shown this once."""
    from atrio.kernel.commands.settings import print_json

    from .services import create_application_token

    def make(ctx: Any) -> tuple[int, str]:
        return create_application_token(ctx, _user(ctx, login).user_id, label[:255], days)

    token_id, token = settings.boot().run(make)
    if as_json:
        print_json({"token_id": token_id, "token": token})
    else:
        click.echo(token)


@user.command("token-list")
@click.argument("login")
@_json
@click.pass_obj
def token_list(settings: Any, login: str, as_json: bool) -> None:
    """Show the application tokens of an account."""
    from atrio.kernel.commands.settings import print_json
    from atrio.kernel.db.base import iso_utc

    from .queries import APPLICATION_TOKENS

    kernel = settings.boot()
    rows = kernel.run(
        lambda ctx: APPLICATION_TOKENS.all(ctx, user_id=_user(ctx, login).user_id), writes=False
    )  # fmt: skip
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    for row in rows:
        used = "never used" if row.last_used is None else f"last used {iso_utc(row.last_used)}"
        until = "" if row.expires is None else f", until {iso_utc(row.expires)}"
        click.echo(f"{row.token_id}: {row.label} ({used}{until})")


@user.command("token-revoke")
@click.argument("login")
@click.argument("token_id", type=int)
@click.pass_obj
def token_revoke(settings: Any, login: str, token_id: int) -> None:
    """End an application token."""
    from .services import revoke_application_token

    kernel = settings.boot()
    if not kernel.run(lambda ctx: revoke_application_token(ctx, _user(ctx, login).user_id, token_id)):
        raise click.ClickException(f"{login} has no application token {token_id}")
    click.echo("Token ended")


# -- looking -----------------------------------------------------------------------------------------------------


@user.command("list")
@click.option("--deleted", is_flag=True, help="Those that are deleted.")
@_json
@click.pass_obj
def user_list(settings: Any, deleted: bool, as_json: bool) -> None:
    """List the accounts, by default those that are not deleted."""
    from atrio.kernel.commands.settings import print_table

    from . import queries, schemas

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = queries.ALL.all(ctx, deleted=int(deleted))
    if as_json:
        click.echo(schemas.user.encode_all(rows).decode())
        return
    table = [
        [
            str(row.user_id), row.email or row.username, row.public_name, schemas.PROFILES[row.profile],
            *([] if row.is_active else ["disabled"]),
        ]
        for row in rows
    ]  # fmt: skip
    width = max((len(line) for line in table), default=4)
    head = ["id", "login", "name", "profile", "state"][:width]
    print_table(head, [line + [""] * (width - len(line)) for line in table])


@user.command("show")
@click.argument("login")
@_json
@click.pass_obj
def user_show(settings: Any, login: str, as_json: bool) -> None:
    """Show an account."""
    import json

    from . import schemas

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        shown = schemas.user.encode(_user(ctx, login)).decode()
    if as_json:
        click.echo(shown)
        return
    for name, value in json.loads(shown).items():
        click.echo(f"{name}: {'' if value is None else value}")


# -- the end -----------------------------------------------------------------------------------------------------


@user.command("enable")
@click.argument("login")
@click.pass_obj
def user_enable(settings: Any, login: str) -> None:
    """Let an account sign in again."""
    from .services import set_enabled

    settings.boot().run(lambda ctx: set_enabled(ctx, _user(ctx, login).user_id, True))
    click.echo("account enabled")


@user.command("disable")
@click.argument("login")
@click.pass_obj
def user_disable(settings: Any, login: str) -> None:
    """Stop an account; its sessions end at once."""
    from .services import set_enabled

    def disable(ctx: Any) -> None:
        row = _user(ctx, login)
        _refuse_last_administrator(ctx, row)
        set_enabled(ctx, row.user_id, False)

    settings.boot().run(disable)
    click.echo("account disabled")


@user.command("delete")
@click.argument("logins", nargs=-1, required=True, metavar="LOGIN...")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.option("-f", "--force", is_flag=True, help="Even where something would lose its author or owner.")
@click.option(
    "-a", "--anonymize-if-required", is_flag=True, help="Anonymize instead where something would lose its author."
)
@click.option("--anonymize-name", help="Name that an anonymized account shows.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def user_delete(
    settings: Any, logins: tuple[str, ...], dry_run: bool, force: bool, anonymize_if_required: bool,
    anonymize_name: str | None, yes: bool,
) -> None:  # fmt: skip
    """Delete accounts for good: all that are named, or none.

    What belongs to an account alone goes with it. Where something would stay without its author or owner, the
    command refuses; --anonymize-if-required keeps such an account as nobody, --force deletes it all the same.
    """
    from . import services

    if not dry_run and not yes:
        click.confirm(f"Delete {', '.join(logins)} for good?", abort=True)

    would = "would be " if dry_run else ""

    def remove(ctx: Any) -> list[str]:
        told: list[str] = []
        for login in dict.fromkeys(logins):
            row = _user(ctx, login)
            _refuse_last_administrator(ctx, row)
            lines, kept = _consequences(ctx, row.user_id)
            told += [f"{login} ({row.user_id})", *lines]
            if kept and not force and not anonymize_if_required:
                raise click.ClickException(
                    f"{login} is the author or owner of {', '.join(kept)}: "
                    "--anonymize-if-required keeps them his, --force does not"
                )
            if kept and not force:
                told.append(f"  {would}anonymized")
                if not dry_run:
                    services.anonymize_user(ctx, row.user_id, anonymize_name)
            else:
                told.append(f"  {would}deleted")
                if not dry_run:
                    services.purge_user(ctx, row.user_id)
        return told

    kernel = settings.boot()
    for line in kernel.run(remove, writes=not dry_run):
        click.echo(line)
    if dry_run:
        click.echo("nothing was changed (dry run)")


def _consequences(ctx: Any, user_id: int) -> tuple[list[str], list[str]]:
    """Return what happens to rows that point at an account, and which of them would lose it."""
    from . import queries

    lines, kept = [], []
    for table, column, rule, rows in queries.traces(ctx, user_id):
        goes = rule == "CASCADE"
        lines.append(f"  {table}.{column}: {rows} row(s) {'go' if goes else 'stay without him'}")
        if not goes:
            kept.append(f"{rows} {table}.{column}")
    return lines, kept


@user.command("anonymize")
@click.argument("login")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.option("--anonymize-name", help="Name that the account shows.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def user_anonymize(settings: Any, login: str, dry_run: bool, anonymize_name: str | None, yes: bool) -> None:
    """Take the person out of an account for good; what it wrote stays, with nobody as its author."""
    from .services import anonymize_user

    if not dry_run and not yes:
        click.confirm(f"Anonymize {login} for good?", abort=True)

    def end(ctx: Any) -> int:
        row = _user(ctx, login)
        _refuse_last_administrator(ctx, row)
        if not dry_run:
            anonymize_user(ctx, row.user_id, anonymize_name)
        return int(row.user_id)

    user_id = settings.boot().run(end, writes=not dry_run)
    click.echo(f"account {user_id} would be anonymized (dry run)" if dry_run else f"account {user_id} anonymized")


# -- shared ------------------------------------------------------------------------------------------------------


def _set(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _user(ctx: Any, login: str) -> Any:
    from . import queries
    from .errors import UserNotFound

    row = queries.by_login(ctx, login)
    if row is None:
        raise UserNotFound(f"no user has the login {login}")
    return row


def _refuse_last_administrator(ctx: Any, row: Any) -> None:
    from . import queries

    if row.profile == 3 and row.is_active and not row.is_deleted:
        others = queries.OTHER_ADMINISTRATORS.value(ctx, user_id=row.user_id)
        if not others:
            raise click.ClickException("this is the last administrator")


def _print(kernel: Any, user_id: int) -> None:
    from . import queries, schemas

    with kernel.unit(writes=False) as ctx:
        click.echo(schemas.user.encode(queries.BY_ID.first(ctx, user_id=user_id)).decode())
