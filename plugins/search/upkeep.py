"""Long work on the index, in units of work of its own: for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from . import consistency, queries, services
from .choice import engine_of, index_of
from .config import SearchConfig
from .engines import KINDS, Kind, Progress
from .stems import services as stems


def populate(kernel: Kernel, progress: Progress) -> dict[str, int]:
    """Index everything, a part in each unit, and return how many of each kind that were."""
    counts: dict[str, int] = {}
    kernel.run(index_of(kernel).settle)
    for kind in KINDS[::-1]:
        total = kernel.run(partial(queries.count_of, kind=kind), writes=False)
        after = done = 0
        while True:
            after, count = kernel.run(partial(services.project_batch, kind=kind, after=after))
            done += count
            if not after:
                break
            progress(kind, done, max(total, done))
        counts[kind] = done
    kernel.run(services.note_populated)
    learn_all(kernel, progress)
    return counts


def learn_all(kernel: Kernel, progress: Progress) -> None:
    """Learn the words of all texts whose other forms are to be found."""
    kernel.run(stems.prepare)
    stems.known_in(kernel).forget()
    if not kernel.config[SearchConfig].languages:
        return
    for kind in stems.KINDS:
        total = kernel.run(partial(queries.count_of, kind=kind), writes=False)
        after = done = 0
        while True:
            rest, last = kernel.run(partial(stems.learn_next, kind=kind, after=after))
            if not last:
                break
            if not rest:
                after = last
                done += stems.AT_ONCE
                progress(f"words of: {kind}", min(done, total), total)


def populate_contents(kernel: Kernel, content_ids: Sequence[int]) -> dict[str, int]:
    """Index some contents; ids that are gone leave the index."""

    def index(ctx: Context) -> int:
        count = services.project(ctx, content_ids)
        engine_of(kernel).put(ctx, "content", content_ids)
        return count

    counts = {"content": kernel.run(index)}
    _learn(kernel, "content", content_ids)
    return counts


def _learn(kernel: Kernel, kind: Kind, ids: Sequence[int]) -> None:
    while ids:
        ids = kernel.run(partial(stems.learn, kind=kind, ids=ids))


def check(kernel: Kernel, progress: Progress, *, repair: bool) -> dict[Kind, list[int]]:
    """Return what the index has otherwise than the database, by kind; with `repair` it is put right."""
    found: dict[Kind, list[int]] = {}
    for kind in KINDS:
        total = kernel.run(partial(queries.count_of, kind=kind), writes=False)
        after = done = 0
        differing: set[int] = set()
        while True:
            ids = kernel.run(
                partial(queries.next_ids, kind=kind, after=after, limit=services.AT_ONCE), writes=False
            )
            wrong = kernel.run(partial(_differing, kind=kind, ids=ids), writes=False)
            if wrong and repair:
                kernel.run(partial(_put_right, kind=kind, ids=wrong))
                _learn(kernel, kind, wrong)
            differing.update(wrong)
            if not ids:
                break
            after = ids[-1]
            done += len(ids)
            progress(f"compared: {kind}", done, max(total, done))
        found[kind] = sorted(differing)
    return found


def _differing(ctx: Context, kind: Kind, ids: Sequence[int]) -> list[int]:
    own = consistency.DIFFERENT[kind](ctx, ids) if ids else []
    return sorted({*own, *stems.unlearned(ctx, kind, ids), *engine_of(ctx.kernel).differences(ctx, kind, ids)})


def _put_right(ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
    services.PROJECTORS[kind](ctx, ids)
    engine_of(ctx.kernel).put(ctx, kind, ids)
