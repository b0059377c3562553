"""Jobs that learn words."""

from __future__ import annotations

from collections.abc import Sequence

from atrio.kernel.context import Context
from atrio.kernel.tasks import Task

from ..engines import Kind
from . import services


def learn(ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
    """Learn the words of some contents or spaces, a part of them; twice does no harm."""
    rest = services.learn(ctx, kind, ids)
    if rest:
        ctx.defer(services.LEARN, kind=kind, ids=rest)


def learn_all(ctx: Context, kind: Kind = "space", after: int = 0, anew: bool = False, begun: bool = False) -> None:
    """Forget what is not wanted any more, then learn all words, part by part; a job for the next part is left."""
    if not begun:
        services.forget(ctx, anew=anew)
        ctx.defer(services.LEARN_ALL, begun=True)
        return
    if not services.languages_of(ctx):
        return
    rest, last = services.learn_next(ctx, kind, after)
    if rest or last:
        ctx.defer(services.LEARN_ALL, kind=kind, after=after if rest else last, begun=True)
    elif kind != services.KINDS[-1]:
        ctx.defer(services.LEARN_ALL, kind=services.KINDS[-1], begun=True)


def look_again(ctx: Context) -> None:
    """Read all texts for words that are not known, part by part."""
    services.known_in(ctx.kernel).forget()
    if services.languages_of(ctx):
        ctx.defer(services.LEARN_ALL, begun=True)


TASKS = (
    Task(services.LEARN, learn, lease_seconds=600, summary="Learn the words of what was changed."),
    Task(services.LEARN_ALL, learn_all, lease_seconds=600, summary="Learn the words of all texts, part by part."),
    Task(
        "search.learn_missing", look_again, periodic="37 2 * * 0", lease_seconds=600,
        summary="Read all texts for words whose stems are missing.",
    ),
)  # fmt: skip
