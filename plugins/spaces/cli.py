"""`atrio space`."""

from __future__ import annotations

from typing import Any

import rich_click as click


@click.group()
def space() -> None:
    """List spaces."""


@space.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def space_list(settings: Any, as_json: bool) -> None:
    """List every space that is not deleted."""
    from . import queries, schemas

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = queries.all_spaces(ctx, ())
    if as_json:
        click.echo(schemas.space.encode_all(rows).decode())
        return
    for row in rows:
        click.echo(f"{row.workspace_id}\t{row.label}\t{row.access_type}\t{row.number_of_members} member(s)")
