"""Jobs that read files: one for each upload, and one that looks for what was left out."""

from __future__ import annotations

import logging
from functools import partial

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Subscription
from atrio.kernel.tasks import Task
from atrio.plugins.core_content.events import ContentCreated, ContentEvent, ContentModified

from ..config import SearchConfig
from . import queries, services
from .asking import READ_MISSING

log = logging.getLogger("atrio.search")
LEASE = 1800
"""Seconds that a job may take: more than reading files with the highest limits does."""


def read_event(ctx: Context, event: ContentEvent) -> None:
    """Read the file of an event; reading it twice does no harm."""
    services.read_file(ctx, event.content_id)


def has_bytes(event: ContentCreated) -> bool:
    """Tell whether a new content is a file."""
    return event.content_type == "file"


def has_new_bytes(event: ContentModified) -> bool:
    """Tell whether a content got other bytes."""
    return event.change == "revision"


def read_missing(ctx: Context, after: int = 0) -> None:
    """Read the next files whose text is missing, each in a unit of its own, and leave a job for those after.

    Its own unit stays empty. A file whose bytes are not in the store is passed over.
    """
    if not ctx.config[SearchConfig].read_files:
        return
    version = services.version_of(ctx.kernel)
    rows = ctx.kernel.run(partial(queries.MISSING.all, after=after, version=version), writes=False)
    for row in rows:
        try:
            ctx.kernel.run(partial(services.read_file, content_id=row.content_id))
        except OSError as error:
            log.warning("no bytes of content %d: %s", row.content_id, error.strerror)
    if rows:
        ctx.defer(READ_MISSING, after=rows[-1].content_id)


def forget(ctx: Context) -> None:
    """Forget what is known of bytes that nobody has any more."""
    services.forget_unused(ctx)


SUBSCRIPTIONS = (
    Subscription(
        ContentCreated, read_event, Phase.JOB, name="search.read_file", when=has_bytes, lease_seconds=LEASE
    ),
    Subscription(
        ContentModified, read_event, Phase.JOB, name="search.read_new_bytes", when=has_new_bytes,
        lease_seconds=LEASE,
    ),
)  # fmt: skip
TASKS = (
    Task(READ_MISSING, read_missing, lease_seconds=LEASE, summary="Read files without text, part by part."),
    Task(
        "search.read_left_out", read_missing, periodic="41 * * * *", lease_seconds=LEASE,
        summary="Look for files whose text is missing, or could not be read under other limits.",
    ),
    Task("search.forget_files", forget, periodic="52 3 * * *", summary="Forget bytes that are gone."),
)  # fmt: skip
