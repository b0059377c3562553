"""Jobs of caldav."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from . import services
from .config import CaldavConfig


def tidy(ctx: Context) -> None:
    """Forget what was deleted long ago."""
    services.forget_deleted(ctx, ctx.config[CaldavConfig].keep_deleted_days)


TASKS = (Task("caldav.tidy", tidy, periodic="47 3 * * *", summary="Forget what was deleted long ago."),)
