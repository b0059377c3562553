"""Jobs of live: the past of a space, and forgetting."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from . import services


def history(ctx: Context, user_id: int, space_id: int) -> None:
    """Copy a page of a space's past. Twice does no harm: what is there stays."""
    services.copy_history(ctx, user_id, space_id)


def forget_space(ctx: Context, key: int) -> None:
    """Delete a page of what was told of a space that is gone."""
    services.forget_space(ctx, key)


def forget_contents(ctx: Context, keys: list[int]) -> None:
    """Delete a page of what was told of contents that are gone."""
    services.forget_contents(ctx, keys)


def forget_old(ctx: Context, after: int = 0) -> None:
    """Delete a page of read messages past their time."""
    services.forget_old(ctx, after)


TASKS = (
    Task("live.history", history, summary="Copy the past of a space into the inbox of a new member."),
    Task("live.forget_space", forget_space, summary="Delete what was told of a space that is gone."),
    Task("live.forget_contents", forget_contents, summary="Delete what was told of contents that are gone."),
    Task("live.forget_old", forget_old, periodic="41 3 * * *", summary="Delete read messages past their time."),
)
