"""Jobs of the drive."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from .services import locks


def tidy(ctx: Context) -> None:
    """Delete locks whose time is over."""
    locks.drop_expired(ctx)


TASKS = (Task("webdav.tidy", tidy, periodic="23 * * * *", summary="Delete locks whose time is over."),)
