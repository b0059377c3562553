"""A job for files whose text was not read yet, left by whoever comes across them."""

from __future__ import annotations

from collections.abc import Sequence

from atrio.kernel.context import Context

from ..config import SearchConfig
from . import queries

READ_MISSING = "search.read_missing"


def ask(ctx: Context, content_ids: Sequence[int]) -> None:
    """Leave a job when some of these are files without their text: one statement."""
    if not ctx.config[SearchConfig].read_files or any(task == READ_MISSING for task, _, _ in ctx.deferred):
        return
    if content_ids and queries.lacks_text(ctx, content_ids):
        ctx.defer(READ_MISSING)
