"""Jobs of the drive."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from .config import WebdavConfig
from .services import absent, locks, orphans, scratch


def tidy(ctx: Context) -> None:
    """Delete locks, memories of names and helper files whose time is over."""
    settings = ctx.config[WebdavConfig]
    locks.drop_expired(ctx)
    absent.drop_old(ctx, max(settings.safe_save_seconds, 60) * 60)
    scratch.drop_old(ctx, settings.litter_days)
    orphans.drop_orphans(ctx)


def forget(ctx: Context) -> None:
    """Delete what hung on contents that were deleted for good."""
    orphans.drop_orphans(ctx)


TASKS = (
    Task("webdav.forget", forget, summary="Delete what hung on contents that are gone for good."),
    Task(
        "webdav.tidy", tidy, periodic="23 * * * *", summary="Delete locks and helper files whose time is over."
    ),
)  # fmt: skip
