"""Jobs of the drive."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from .config import WebdavConfig
from .services import absent, locks, scratch


def tidy(ctx: Context) -> None:
    """Delete locks, memories of names and helper files whose time is over."""
    settings = ctx.config[WebdavConfig]
    locks.drop_expired(ctx)
    absent.drop_old(ctx, max(settings.safe_save_seconds, 60) * 60)
    scratch.drop_old(ctx, settings.litter_days)


TASKS = (
    Task(
        "webdav.tidy", tidy, periodic="23 * * * *", summary="Delete locks and helper files whose time is over."
    ),
)  # fmt: skip
