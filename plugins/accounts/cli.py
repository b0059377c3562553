"""`atrio user`."""

from __future__ import annotations

from typing import Any

import rich_click as click


@click.group()
def user() -> None:
    """Create and list accounts."""


@user.command("create")
@click.option("-e", "--email", help="Address; with it people sign in.")
@click.option("-u", "--username", help="Username; letters, digits, - _ .")
@click.option("-p", "--password", help="Password; asked for when absent.")
@click.option("--public-name", help="Name that others see.")
@click.option(
    "--profile",
    type=click.Choice(["users", "trusted-users", "administrators"]),
    help="Rights in the instance.",
)
@click.option("--lang", help="Language, for example en.")
@click.option("--timezone", default="", help="Time zone, for example Europe/Paris.")
@click.option("--allowed-space", type=int, help="Bytes; 0: no limit.")
@click.pass_obj
def user_create(settings: Any, /, **given: Any) -> None:
    """Create an account."""
    from atrio.kernel.http.schema import load

    from .passwords import hash_password
    from .schemas import UserCreationSchema
    from .services import create_user

    if given["password"] is None:
        given["password"] = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    values = load(UserCreationSchema(), {k: v for k, v in given.items() if v is not None})
    name, email = values["email"] or ("", None)
    hashed = hash_password(values["password"]) if values["password"] else None
    kernel = settings.boot()
    user_id = kernel.run(
        lambda ctx: create_user(
            ctx, email=email, username=values["username"], password_hash=hashed, profile=values["profile"],
            public_name=values["public_name"] or name or None, timezone=values["timezone"],
            lang=values["lang"], allowed_space=values["allowed_space"], creation_type="cli",
        )
    )  # fmt: skip
    click.echo(f"User created ({user_id})")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def user_list(settings: Any, as_json: bool) -> None:
    """List every account that is not deleted."""
    from . import queries, schemas

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = queries.ALL.all(ctx, deleted=0)
    if as_json:
        click.echo(schemas.user.encode_all(rows).decode())
        return
    for row in rows:
        click.echo(
            f"{row.user_id}\t{row.email or row.username}\t{row.public_name}\t{schemas.PROFILES[row.profile]}"
        )


@user.command("password")
@click.argument("login")
@click.option("-p", "--password", help="New password; asked for when absent.")
@click.pass_obj
def user_password(settings: Any, login: str, password: str | None) -> None:
    """Set a password; the account's sessions end."""
    from . import queries, services
    from .errors import UserNotFound
    from .passwords import hash_password

    new = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not 6 <= len(new) <= 512:
        raise click.ClickException("a password has 6 to 512 characters")
    hashed = hash_password(new)

    def change(ctx: Any) -> None:
        row = queries.by_login(ctx, login)
        if row is None:
            raise UserNotFound(f"no user has the login {login}")
        services.set_password(ctx, row.user_id, hashed)

    settings.boot().run(change)
    click.echo("password set")
