"""Care of stored bytes: are they all there and whole, and which does nobody need any more.

A blob is needed while a row names it. By convention such a column is called `digest` and holds 64 characters; the
tables of plugins that are switched off count as well, since they are looked up in the database itself. What only
remembers something about a blob must call its column otherwise.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, delete, exists, inspect, select, table

from .blobs import BLOCK, Blob
from .context import Context
from .jobs import SECOND

if TYPE_CHECKING:
    from .host import Kernel

SLICE = 500
KEEP_SECONDS = 24 * 3600
"""How long a blob is left alone after it was stored last: a unit that is to name it may still be under way."""
PAUSE_SECONDS = 10.0
"""How long after the first look a blob must still be unused: longer than any unit lasts that copies its row."""


@dataclass(frozen=True)
class Fault:
    """A blob that is not as its row says: `missing`, of another `size`, or of other `content`."""

    digest: str
    what: str


def references(ctx: Context) -> list[tuple[str, str]]:
    """Return (table, column) of everything that may name a blob, plugins that are off included."""
    found = []
    looked = inspect(ctx.session.connection())
    for name in sorted(looked.get_table_names()):
        if name == Blob.__tablename__:
            continue
        for described in looked.get_columns(name):
            if described["name"] == "digest" and getattr(described["type"], "length", None) == 64:
                found.append((name, "digest"))
    return found


def _unnamed(named_by: list[tuple[str, str]]) -> list[Any]:
    """Return the conditions of a blob that no row names."""
    conditions = []
    for name, key in named_by:
        other = table(name, column(key))
        conditions.append(~exists(select(other.c[key]).where(other.c[key] == Blob.digest)))
    return conditions


def unused(ctx: Context, before: int, after: str = "") -> list[Any]:
    """Return digest and size of some blobs that no row names and that were stored before a moment, by digest."""
    query = (
        select(Blob.digest, Blob.size)
        .where(Blob.created < before, Blob.digest > after, *_unnamed(references(ctx)))
        .order_by(Blob.digest)
        .limit(SLICE)
    )
    return list(ctx.execute(query))


def forget(ctx: Context, digests: list[str], before: int) -> int:
    """Delete the rows of blobs that are still unused and old; returns how many. The sweep deletes their files."""
    gone: Any = ctx.execute(
        delete(Blob).where(Blob.digest.in_(digests), Blob.created < before, *_unnamed(references(ctx)))
    )
    return int(gone.rowcount)


def _all_unused(kernel: Kernel, before: int) -> list[Any]:
    found: list[Any] = []
    while True:
        after = found[-1].digest if found else ""
        rows = kernel.run(partial(unused, before=before, after=after), writes=False)
        if not rows:
            return found
        found += rows


@dataclass
class Collected:
    """What a collection did: blobs that nobody needs, their bytes, files that were removed."""

    blobs: int = 0
    size: int = 0
    files: int = 0


def collect(
    kernel: Kernel, *, dry_run: bool = False, keep_seconds: int = KEEP_SECONDS, pause: float = PAUSE_SECONDS,
    progress: Callable[[int], None] | None = None,
) -> Collected:  # fmt: skip
    """Find what no row names, look again after a pause, and delete it: rows first, then files.

    Each slice is a unit of its own. A process that dies in between leaves files without a row, which the next
    sweep removes; never a row without its file.
    """
    before = kernel.clock.now() - keep_seconds * SECOND
    found = _all_unused(kernel, before)
    done = Collected()
    if dry_run or not found:
        done.blobs, done.size = len(found), sum(row.size for row in found)
    else:
        time.sleep(pause)
    if dry_run:
        return done
    sizes = {row.digest: row.size for row in found}
    for start in range(0, len(found), SLICE):
        part = [row.digest for row in found[start : start + SLICE]]
        done.blobs += kernel.run(partial(forget, digests=part, before=before))
        left = known(kernel, part)
        done.size += sum(sizes[d] for d in part if d not in left)
        if progress:
            progress(len(part))
    done.files = kernel.blobs.sweep(lambda names: known(kernel, names), older_than_seconds=keep_seconds)
    return done


def known(kernel: Kernel, names: Any) -> set[str]:
    """Return which of some digests have a row; a reading unit of its own."""
    query = select(Blob.digest).where(Blob.digest.in_(list(names)))
    return kernel.run(lambda ctx: set(ctx.execute(query).scalars()), writes=False)


def verify(
    kernel: Kernel, *, content: bool = True, progress: Callable[[int], None] | None = None
) -> Iterator[Fault]:
    """Yield each blob that is not as its row says; without `content` only size and presence are looked at."""
    after = ""
    while True:
        rows = kernel.run(partial(_listed, after=after), writes=False)
        if not rows:
            return
        for row in rows:
            what = _fault(kernel.blobs.path(row.digest), row, content=content)
            if what and known(kernel, [row.digest]):  # it may have been collected at this moment
                yield Fault(row.digest, what)
            if progress:
                progress(1)
        after = rows[-1].digest


def _listed(ctx: Context, after: str) -> list[Any]:
    query = select(Blob.digest, Blob.size).where(Blob.digest > after).order_by(Blob.digest).limit(SLICE)
    return list(ctx.execute(query))


def _fault(path: Path, row: Any, *, content: bool) -> str | None:
    try:
        if path.stat().st_size != row.size:
            return "size"
        if not content:
            return None
        hashed = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                hashed.update(block)
    except FileNotFoundError:
        return "missing"
    return None if hashed.hexdigest() == row.digest else "content"
