"""Background work of hello."""

from __future__ import annotations

import logging

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from . import services

log = logging.getLogger("atrio.hello")
TIDY = "hello.tidy"


def tidy(ctx: Context) -> None:
    """Delete old greetings; a second run finds nothing to do."""
    log.info("%d old greeting(s) deleted", services.delete_old(ctx))


TASKS = (Task(TIDY, tidy, periodic="40 3 * * *", summary="Delete old greetings."),)
