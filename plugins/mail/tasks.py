"""Jobs of mail."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND
from atrio.kernel.tasks import Task

from . import services
from .delivery import deliver


def fan_out(ctx: Context, notices: list[dict[str, Any]], author_id: int | None) -> None:
    """Write a row for each receiver of some notices. Twice does no harm: a row that is there stays."""
    if not services.fan_out(ctx, notices, author_id):
        return  # it concerns nobody
    waits = [services.settling(ctx, notice) for notice in notices]
    if not all(waits):
        ctx.defer("mail.deliver")
    if any(waits):
        ctx.defer("mail.deliver", delay_seconds=max(waits) // SECOND + 1)


def send(ctx: Context) -> None:
    """Send what is due. Its own unit of work stays empty: each mail is marked in one of its own."""
    deliver(ctx.kernel)


def digests(ctx: Context) -> None:
    """Queue the digests whose hour has come."""
    if services.make_digests(ctx):
        ctx.defer("mail.deliver")


def tidy(ctx: Context) -> None:
    """Delete what is over for long."""
    services.forget_old(ctx)


TASKS = (
    Task("mail.fan_out", fan_out, summary="Write a row for each receiver of what happened."),
    Task("mail.deliver", send, lease_seconds=1200, attempts=1, summary="Send what is due."),
    Task(
        "mail.due", send, periodic="* * * * *", lease_seconds=1200, attempts=1, summary="Send what is due again."
    ),
    Task("mail.digests", digests, periodic="0 * * * *", summary="Make the hourly, daily and weekly digests."),
    Task("mail.tidy", tidy, periodic="17 4 * * *", summary="Delete what was sent or refused long ago."),
)
