"""`atrio space`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rich_click as click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


@click.group()
def space() -> None:
    """List, create, move and delete spaces."""


def _read(settings: Any, call: Callable[[Any], Any]) -> Any:
    kernel = settings.boot()
    try:
        with kernel.unit(writes=False) as ctx:
            return call(ctx)
    finally:
        kernel.db.close()


def _write(settings: Any, call: Callable[[Any], Any]) -> Any:
    kernel = settings.boot()
    try:
        return kernel.run(call)
    finally:
        kernel.db.close()


def _need(ctx: Any, space_id: int) -> Any:
    """Return a space for printing; SpaceNotFound names the id."""
    from . import queries
    from .errors import SpaceNotFound

    row = queries.one(ctx, space_id)
    if row is None:
        raise SpaceNotFound(f"no space has the id {space_id}")
    return row


def _line(row: Any) -> str:
    from .schemas import shown_label

    label = shown_label(row.label, row.deleted_at)
    return f"{row.workspace_id}\t{label}\t{row.access_type}\t{row.number_of_members} member(s)"


@space.command("list")
@AS_JSON
@click.pass_obj
def space_list(settings: Any, as_json: bool) -> None:
    """List every space that is not deleted."""
    from . import queries, schemas

    rows = _read(settings, lambda ctx: queries.all_spaces(ctx, ()))
    if as_json:
        click.echo(schemas.space.encode_all(rows).decode())
        return
    for row in rows:
        click.echo(_line(row))


@space.command("show")
@click.argument("space_id", type=click.IntRange(min=1))
@AS_JSON
@click.pass_obj
def space_show(settings: Any, space_id: int, as_json: bool) -> None:
    """Show one space, a trashed one too."""
    from . import schemas
    from .permissions import ROLES

    row = _read(settings, lambda ctx: _need(ctx, space_id))
    if as_json:
        click.echo(schemas.space.encode(row).decode())
        return
    click.echo(_line(row))
    for name, value in (
        ("parent", row.parent_id or "none"), ("owner", row.owner__public_name or "none"),
        ("default role", ROLES[row.default_role]), ("trashed", "yes" if row.is_deleted else "no"),
    ):  # fmt: skip
        click.echo(f"{name}\t{value}")


@space.command("create")
@click.argument("label")
@click.option("--owner", metavar="LOGIN", help="Who owns and manages it (default: the first administrator).")
@click.option("--description", default="", help="HTML.")
@click.option(
    "--access-type", default="confidential", type=click.Choice(["confidential", "on_request", "open"]),
    help="Who may join.",
)  # fmt: skip
@click.option(
    "--default-role", default="reader", help="Role of those who join by themselves.",
    type=click.Choice(["reader", "contributor", "content-manager", "workspace-manager"]),
)  # fmt: skip
@click.option("--parent", type=click.IntRange(min=1), help="Id of the space above it.")
@AS_JSON
@click.pass_obj
def space_create(settings: Any, /, **given: Any) -> None:
    """Create a space called LABEL."""
    from atrio.kernel.context import Actor
    from atrio.kernel.http.schema import load
    from atrio.plugins.accounts.api import UserNotFound, by_login, first_administrator

    from . import queries, schemas
    from .services import create_space

    values = load(
        schemas.SpaceCreationSchema(),
        {
            "label": given["label"], "description": given["description"], "access_type": given["access_type"],
            "default_user_role": given["default_role"], "parent_id": given["parent"],
        },
    )  # fmt: skip

    def create(ctx: Any) -> Any:
        owner = by_login(ctx, given["owner"]) if given["owner"] else first_administrator(ctx)
        if owner is None:
            raise UserNotFound(f"no user has the login {given['owner']}")
        ctx.actor = Actor(owner.user_id, "user", owner, "command line")
        return queries.one(ctx, create_space(ctx, values))

    row = _write(settings, create)
    click.echo(schemas.space.encode(row).decode() if given["as_json"] else f"space {row.workspace_id} created")


@space.command("move")
@click.argument("space_id", type=click.IntRange(min=1))
@click.option("--parent", "-p", required=True, type=click.IntRange(min=0), help="Id of the new parent; 0: none.")
@click.pass_obj
def space_move(settings: Any, space_id: int, parent: int) -> None:
    """Put a space below another one."""
    from .services import move_space

    _write(settings, lambda ctx: move_space(ctx, space_id, parent or None))
    click.echo(f"space {space_id} moved {f'below {parent}' if parent else 'to the top'}")


@space.command("delete")
@click.argument("space_ids", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--purge", is_flag=True, help="Delete for good, with contents and members; asks first.")
@click.option("--dry-run", is_flag=True, help="Say what would happen.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def space_delete(settings: Any, space_ids: tuple[int, ...], purge: bool, dry_run: bool, yes: bool) -> None:
    """Put spaces into the trash; with --purge delete them for good."""
    from . import queries
    from .services import purge_space, trash_space

    def look(ctx: Any) -> list[str]:
        lines = []
        for space_id in dict.fromkeys(space_ids):
            row = _need(ctx, space_id)
            counts = ", ".join(f"{n} {what}" for what, n in queries.counts_below(ctx, space_id).items())
            size = queries.space_size(ctx, row.workspace_id).used_space
            lines.append(f"{'purge' if purge else 'trash'}\t{_line(row)}\t{counts}, {size} bytes")
        return lines

    for line in _read(settings, look):
        click.echo(line)
    if dry_run:
        click.echo("nothing was changed")
        return
    if purge and not yes:
        click.confirm("This cannot be undone. Go on?", abort=True)
    act = purge_space if purge else trash_space
    _write(settings, lambda ctx: [act(ctx, space_id) for space_id in dict.fromkeys(space_ids)])
    click.echo(f"{len(set(space_ids))} space(s) {'purged' if purge else 'trashed'}")


@space.command("restore")
@click.argument("space_id", type=click.IntRange(min=1))
@click.pass_obj
def space_restore(settings: Any, space_id: int) -> None:
    """Bring a space back from the trash."""
    from .services import restore_space

    _write(settings, lambda ctx: restore_space(ctx, space_id))
    click.echo(f"space {space_id} restored")


@space.command("members")
@click.argument("space_id", type=click.IntRange(min=1))
@AS_JSON
@click.pass_obj
def space_members(settings: Any, space_id: int, as_json: bool) -> None:
    """List the members of a space, disabled accounts too."""
    from . import queries, schemas
    from .permissions import ROLES

    rows = _read(
        settings, lambda ctx: (_need(ctx, space_id), queries.members(ctx, space_id, disabled=True))[1]
    )  # fmt: skip
    if as_json:
        click.echo(schemas.role.encode_all(rows).decode())
        return
    for row in rows:
        state = "" if row.is_active else "\tdisabled"
        click.echo(f"{row.user_id}\t{row.user__public_name}\t{ROLES[row.role]}{state}")
