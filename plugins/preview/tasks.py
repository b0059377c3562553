"""The nightly bound of the folder of previews."""

from __future__ import annotations

import logging

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from .services import store_of

log = logging.getLogger("atrio.preview")


def trim(ctx: Context) -> None:
    """Delete previews that are too old or too many; a second time does nothing."""
    with ctx.released():
        files, freed = store_of(ctx.kernel).trim()
    if files:
        log.info("%d old previews deleted, %d bytes", files, freed)


TASKS = (Task("preview.trim", trim, periodic="37 3 * * *", lease_seconds=3600, summary="Bound kept previews."),)
