"""Writes: what the index has to be told of is noted with the change, and told by jobs until the server has it."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from sqlalchemy import bindparam, delete, literal, select

from atrio.kernel import jobs
from atrio.kernel.config import Config
from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.host import Kernel
from atrio.plugins.core_content.api import CONTENT
from atrio.plugins.search.api import PARTS, Progress, count_of, languages, next_ids

from . import documents, queries
from .adapters.server import Server, ServerAway, ServerRefused
from .config import LANGUAGES, ElasticConfig
from .index import Index
from .models import WAITING
from .tasks import SEND

log = logging.getLogger("atrio.search")
AT_ONCE = 50
"""Contents that are read at once."""
A_ROUND = 2_000
"""Contents after which the index is refreshed and they are forgotten."""
ALL = 10_000_000
HELD_SECONDS = 300
_FORGET = delete(WAITING).where(
    WAITING.c.content_id == bindparam("forget_id"), WAITING.c.number == bindparam("forget_number")
)


def settings_of(config: Config) -> ElasticConfig:
    """Return the settings; languages are those of the search where no others are named here."""
    settings = config[ElasticConfig]
    named = languages(config)
    known = tuple(code for code, (_, name) in LANGUAGES.items() if name in named)
    return settings if settings.languages else replace(settings, languages=known)


def index_of(kernel: Kernel) -> Index:
    """Return the index of this installation; nothing is sent before it is used."""

    def make() -> Index:
        settings = settings_of(kernel.config)
        return Index(Server(settings), settings)

    return kernel.part("search_elastic.index", make)


def mark(ctx: Context, content_ids: Sequence[int]) -> None:
    """Note that the index has to be told of some contents, and leave a job that tells it."""
    if not content_ids:
        return
    statement = upsert(ctx.dialect, WAITING, ("content_id",), overwrite=("number",))
    ctx.execute(statement, [{"content_id": i, "number": _number()} for i in sorted(set(content_ids))])
    _defer(ctx)


def mark_all(ctx: Context) -> None:
    """Note that the index has to be told of everything: one statement."""
    source = (
        select(CONTENT.c.content_id, literal(_number()).label("number"))
        .where(CONTENT.c.type.not_in(PARTS))
        .order_by(CONTENT.c.content_id)
    )
    columns = ("content_id", "number")
    ctx.execute(
        upsert(ctx.dialect, WAITING, ("content_id",), overwrite=("number",), source=source, columns=columns)
    )
    _defer(ctx)


def _number() -> int:
    return secrets.randbits(62)


def _defer(ctx: Context) -> None:
    if not any(task == SEND for task, _, _ in ctx.deferred):
        ctx.defer(SEND)


# -- telling the index ---------------------------------------------------------------------------------------


def prepare(kernel: Kernel) -> None:
    """Make the index where there is none, and note that it has to be told of everything.

    Nothing is done while another thread or process is at it. ServerAway, ServerRefused.
    """
    with _alone(kernel) as mine:
        if mine and index_of(kernel).ensure():
            kernel.run(mark_all)


@contextmanager
def _alone(kernel: Kernel) -> Iterator[bool]:
    """Tell whether nobody else makes or writes the index, and keep it so inside."""
    lock: threading.Lock = kernel.part("search_elastic.lock", threading.Lock)
    if not lock.acquire(blocking=False):
        yield False
        return
    mine = False
    try:
        mine = kernel.run(partial(jobs.take_single, name=SEND, seconds=HELD_SECONDS))
        yield mine
    finally:
        if mine:
            kernel.run(partial(jobs.release_single, name=SEND))
        lock.release()


def send_waiting(kernel: Kernel) -> int:
    """Tell the index of what waits and return of how many; 0 while somebody else does, or the server is away.

    No transaction is open while the server is asked. What was marked again meanwhile stays.
    """
    total = 0
    while kernel.run(partial(queries.waiting, limit=1), writes=False):
        with _alone(kernel) as mine:
            sent = _send_round(kernel) if mine else 0
        if not sent:
            return total
        total += sent
    return total


def _send_round(kernel: Kernel) -> int:
    index = index_of(kernel)
    try:
        if index.ensure():
            kernel.run(mark_all)
        rows = kernel.run(partial(queries.waiting, limit=A_ROUND), writes=False)
        for start in range(0, len(rows), AT_ONCE):
            _write(kernel, index, [row.content_id for row in rows[start : start + AT_ONCE]])
        index.refresh()
    except ServerAway as error:
        log.warning("the search engine is away, its index catches up later: %s", error)
        return 0
    except ServerRefused as error:
        log.error("the search engine refuses: %s", error)
        return 0
    kernel.run(partial(_forget, rows=rows))
    return len(rows)


def _write(kernel: Kernel, index: Index, ids: Sequence[int], aliases: Sequence[str] | None = None) -> None:
    version = time.time_ns() // 1000  # not the clock of the context: the index compares it with what it has
    found = kernel.run(partial(documents.documents, content_ids=ids), writes=False)
    index.write([(i, found.get(i)) for i in ids], version, aliases=aliases)


def _forget(ctx: Context, rows: Sequence[object]) -> None:
    if rows:
        ctx.execute(_FORGET, [{"forget_id": r.content_id, "forget_number": r.number} for r in rows])  # type: ignore[attr-defined]


def rebuild(kernel: Kernel, progress: Progress) -> None:
    """Fill an index beside the one that answers, then let it take its place.

    What changes meanwhile is written to both. ServerAway, ServerRefused: the old index goes on answering.
    """
    index = index_of(kernel)
    name = index.begin_next()
    noted = kernel.run(partial(queries.waiting, limit=ALL), writes=False)
    total = kernel.run(partial(count_of, kind="content"), writes=False)
    after = done = 0
    while ids := kernel.run(partial(next_ids, kind="content", after=after, limit=AT_ONCE), writes=False):
        _write(kernel, index, ids, [index.next_alias])
        after, done = ids[-1], done + len(ids)
        progress("index of words", done, max(total, done))
    index.swap(name)
    for start in range(0, len(noted), A_ROUND):  # the new index was told of these
        kernel.run(partial(_forget, rows=noted[start : start + A_ROUND]))
