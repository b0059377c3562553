"""Jobs of the search by Elasticsearch."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task
from atrio.plugins.search.api import chosen_engine

from . import services
from .engine import ElasticEngine


def send(ctx: Context) -> None:
    """Tell the index of what waits. Its own unit of work stays empty; twice does no harm."""
    services.send_waiting(ctx.kernel)


def prepare(ctx: Context) -> None:
    """Make the index where there is none and tell it of what waits; nothing where another engine was chosen."""
    if chosen_engine(ctx.config) == ElasticEngine.name:
        services.prepare(ctx.kernel)
        services.send_waiting(ctx.kernel)


TASKS = (
    Task(services.SEND, send, lease_seconds=3600, attempts=2, summary="Tell the search engine what changed."),
    Task(
        "search_elastic.due", prepare, periodic="* * * * *", lease_seconds=3600, attempts=1,
        summary="Tell the search engine what it could not be told before.",
    ),
)  # fmt: skip
