"""Jobs of the search by Elasticsearch. What they need is imported when one runs: most instances have another."""

from __future__ import annotations

import logging

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task
from atrio.plugins.search.api import chosen_engine

log = logging.getLogger("atrio.search")
ENGINE = "elasticsearch"
SEND = "search_elastic.send"


def send(ctx: Context) -> None:
    """Tell the index of what waits. Its own unit of work stays empty; twice does no harm."""
    from . import services

    services.send_waiting(ctx.kernel)


def prepare(ctx: Context) -> None:
    """Make the index where there is none and tell it of what waits; nothing where another engine was chosen."""
    if chosen_engine(ctx.config) != ENGINE:
        return
    from . import services
    from .adapters.server import ServerAway, ServerRefused

    try:
        services.prepare(ctx.kernel)
    except (ServerAway, ServerRefused) as error:
        log.warning("the search engine cannot be used: %s", error)
        return  # this runs each minute
    services.send_waiting(ctx.kernel)


TASKS = (
    Task(SEND, send, lease_seconds=3600, attempts=2, summary="Tell the search engine what changed."),
    Task(
        "search_elastic.due", prepare, periodic="* * * * *", lease_seconds=3600, attempts=1,
        summary="Tell the search engine what it could not be told before.",
    ),
)  # fmt: skip
