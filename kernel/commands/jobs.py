"""`atrio jobs`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from .settings import Settings, print_json, print_table

if TYPE_CHECKING:
    pass


@click.group("jobs")
def jobs_group() -> None:
    """Look at background jobs."""


@jobs_group.command("list")
@click.option("--state", multiple=True, help="pending, leased, done, dead or parked.")
@click.option("--limit", type=click.IntRange(1, 10000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.pass_obj
def jobs_list(settings: Settings, state: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, newest first."""
    from .. import jobs
    from ..db.base import iso_utc

    kernel = settings.boot()
    with kernel.unit(writes=False) as ctx:
        rows = jobs.list_jobs(ctx, state, limit)
    shown = [
        {
            "id": r.id, "job": r.job, "event": r.event, "state": r.state, "attempt": r.attempt,
            "created": iso_utc(r.created), "error": r.error,
        }
        for r in rows
    ]  # fmt: skip
    if as_json:
        print_json(shown)
        return
    print_table(
        ["id", "job", "state", "attempt", "created", "error"],
        [
            [str(r["id"]), str(r["job"]), str(r["state"]), str(r["attempt"]), str(r["created"]),
             str(r["error"] or "")[:80]]
            for r in shown
        ],
    )  # fmt: skip


@jobs_group.command("retry")
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def jobs_retry(settings: Settings, ids: tuple[str, ...]) -> None:
    """Try dead or waiting jobs again now."""
    from .. import jobs

    kernel = settings.boot()
    count = kernel.run(lambda ctx: jobs.retry(ctx, ids))
    kernel.jobs.wake(ids)
    click.echo(f"{count} job(s) will run")
    if count != len(ids):
        sys.exit(1)


@jobs_group.command("drop")
@click.argument("ids", nargs=-1, required=True)
@click.pass_obj
def jobs_drop(settings: Settings, ids: tuple[str, ...]) -> None:
    """Delete jobs that are not running."""
    from .. import jobs

    kernel = settings.boot()
    count = kernel.run(lambda ctx: jobs.drop(ctx, ids))
    click.echo(f"{count} job(s) dropped")
    if count != len(ids):
        sys.exit(1)
