"""Jobs of search."""

from __future__ import annotations

import logging

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from . import services
from .choice import index_of
from .engines import KINDS, Kind

log = logging.getLogger("atrio.search")


def catch_up(ctx: Context) -> None:
    """Bring the index in line with what waits, a part of it; a second run finds nothing to do."""
    services.catch_up(ctx)


def populate(ctx: Context, kind: Kind = "space", after: int = 0) -> None:
    """Project the next things of a kind, and leave a job for those that follow; twice does no harm."""
    last, _ = services.project_batch(ctx, kind, after)
    following = KINDS[::-1][KINDS[::-1].index(kind) + 1 :]
    if last:
        ctx.defer("search.populate", kind=kind, after=last)
    elif following:
        ctx.defer("search.populate", kind=following[0], after=0)


def repair(ctx: Context, after: int = 0) -> None:
    """Project contents whose texts are missing or old, a part of them, and leave a job for the rest."""
    if not after:
        index_of(ctx.kernel).settle(ctx)
    last, done = services.repair(ctx, after)
    if done:
        log.warning("%d content(s) were not in the index as they are", done)
    if last:
        ctx.defer("search.repair", after=last)


TASKS = (
    Task(services.CATCH_UP, catch_up, lease_seconds=600, summary="Index what waits for it."),
    Task("search.due", catch_up, periodic="* * * * *", lease_seconds=600, summary="Index what was left waiting."),
    Task("search.populate", populate, lease_seconds=600, summary="Index everything, part by part."),
    Task("search.repair", repair, lease_seconds=600, summary="Index what the check found, part by part."),
    Task(
        "search.check", repair, periodic="23 2 * * *", lease_seconds=600,
        summary="Compare texts and index, and index what differs.",
    ),
)  # fmt: skip
