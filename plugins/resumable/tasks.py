"""Jobs of resumable."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from . import services


def expire(ctx: Context) -> None:
    """Remove uploads that nobody went on with. Twice does no harm."""
    services.expire(ctx)


TASKS = (Task("resumable.expire", expire, periodic="*/15 * * * *", summary="Remove uploads nobody went on with."),)
