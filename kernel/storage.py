"""Care of stored bytes: are they all there and whole, and which does nobody need any more.

A blob is needed while a row names it. By convention such a column is called `digest` and holds 64 characters; the
tables of plugins that are switched off count as well, since they are looked up in the database itself. What only
remembers something about a blob must call its column otherwise.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, delete, exists, insert, inspect, select, table
from sqlalchemy.exc import IntegrityError

from .blobs import BLOCK, DOOMED, Blob, BlobStore, Stored
from .context import Context
from .jobs import SECOND

if TYPE_CHECKING:
    from .host import Kernel

SLICE = 500
AT_ONCE = 8
"""How many blobs are asked for at the same time in a store that is elsewhere."""
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
        .where(Blob.created < before, Blob.size >= 0, Blob.digest > after, *_unnamed(references(ctx)))
        .order_by(Blob.digest)
        .limit(SLICE)
    )
    return list(ctx.execute(query))


def forget(ctx: Context, digests: list[str], before: int) -> int:
    """Delete the rows of blobs that are still unused and old; returns how many. The sweep deletes their files."""
    gone: Any = ctx.execute(
        delete(Blob).where(
            Blob.digest.in_(digests), Blob.created < before, Blob.size >= 0, *_unnamed(references(ctx))
        )
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
    """Return which of some digests have a row; a reading unit of its own.

    What took the others away is on the disk: their bytes may go.
    """
    query = select(Blob.digest).where(Blob.digest.in_(list(names)), Blob.size >= 0)
    found = kernel.run(lambda ctx: set(ctx.execute(query).scalars()), writes=False)
    kernel.db.sync()
    return found


def claim(kernel: Kernel, digests: list[str]) -> list[str]:
    """Claim bytes without a row for deletion, in a unit of its own; returns those that nobody keeps meanwhile.

    For stores in which nothing can be held in the hand: while the claim stands no unit can keep equal bytes.
    """

    def write(ctx: Context) -> list[str]:
        taken = []
        for digest in digests:
            try:
                with ctx.savepoint():
                    ctx.execute(insert(Blob).values(digest=digest, size=DOOMED, created=ctx.now))
            except IntegrityError:
                continue
            taken.append(digest)
        return taken

    return kernel.run(write) if digests else []


def unclaim(kernel: Kernel, digests: list[str] | None = None, *, seconds: int = 0) -> None:
    """Give claims up: of some digests that were not deleted, or all those that are older than so many seconds."""
    before = kernel.clock.now() - seconds * SECOND
    query = delete(Blob).where(Blob.size == DOOMED)
    query = query.where(Blob.created < before) if digests is None else query.where(Blob.digest.in_(digests))
    kernel.run(lambda ctx: ctx.execute(query))


def rows(kernel: Kernel) -> Iterator[list[Any]]:
    """Yield digest and size of all blobs that have a row, by digest, in slices of a reading unit each."""
    after = ""
    while found := kernel.run(partial(_listed, after=after), writes=False):
        yield found
        after = found[-1].digest


def _listed(ctx: Context, after: str) -> list[Any]:
    query = select(Blob.digest, Blob.size).where(Blob.digest > after, Blob.size >= 0)
    return list(ctx.execute(query.order_by(Blob.digest).limit(SLICE)))


@contextmanager
def _at_once(*stores: BlobStore) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a `map`: with threads where a store is elsewhere, whose answers take their time."""
    if not any(store.remote for store in stores):
        yield map
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool.map


def verify(
    kernel: Kernel, store: BlobStore | None = None, *, content: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Fault]:  # fmt: skip
    """Yield each blob that is not as its row says; without `content` only size and presence are looked at.

    `store` is another than the one in use.
    """
    looked = kernel.blobs if store is None else store
    with _at_once(looked) as each:
        for part in rows(kernel):
            for row, what in zip(part, each(partial(_fault, looked, content=content), part), strict=True):
                if what and known(kernel, [row.digest]):  # it may have been collected at this moment
                    yield Fault(row.digest, what)
                if progress:
                    progress(1)


def _fault(store: BlobStore, row: Any, *, content: bool) -> str | None:
    size = store.size(row.digest)
    if size != row.size:
        return "missing" if size is None else "size"
    if not content:
        return None
    hashed = hashlib.sha256()
    try:
        with store.open(row.digest) as file:
            while block := file.read(BLOCK):
                hashed.update(block)
    except FileNotFoundError:
        return "missing"
    return None if hashed.hexdigest() == row.digest else "content"


@dataclass
class Migrated:
    """What a migration did: blobs and bytes that were copied, blobs that were there, what could not be copied."""

    copied: int = 0
    size: int = 0
    present: int = 0
    faults: list[Fault] = field(default_factory=list)


def migrate(
    kernel: Kernel, source: BlobStore, target: BlobStore, *, dry_run: bool = False,
    progress: Callable[[Migrated], None] | None = None,
) -> Migrated:  # fmt: skip
    """Copy each blob that has a row from one store to another; what is there with its size stays.

    Bytes are compared with their checksum on the way. Nothing is deleted. May be ended and begun again at any
    time, and run while the server does.
    """
    done = Migrated()
    with _at_once(source, target) as each:
        for part in rows(kernel):
            copy = partial(_copied, source, target, dry_run=dry_run)
            for row, what in zip(part, each(copy, part), strict=True):
                if what == "present":
                    done.present += 1
                elif what == "copied":
                    done.copied += 1
                    done.size += row.size
                elif known(kernel, [row.digest]):
                    done.faults.append(Fault(row.digest, what))
                if progress:
                    progress(done)
    return done


def _copied(source: BlobStore, target: BlobStore, row: Any, *, dry_run: bool) -> str:
    if target.size(row.digest) == row.size:
        return "present"
    if dry_run:
        return _fault(source, row, content=False) or "copied"
    try:
        with source.open(row.digest) as file:
            blob = target.receive(file)
    except FileNotFoundError:
        return "missing"
    try:
        if blob.size != row.size:
            return "size"
        if blob.digest != row.digest:
            return "content"
        target.put(blob)
    finally:
        blob.discard()
    return "copied"


def clear(kernel: Kernel, old: BlobStore, *, dry_run: bool = False) -> tuple[int, int]:
    """Delete from a store that is no longer in use what the one in use has too, and what has no row.

    Returns how many blobs went, and how many stayed because the store in use lacks them.
    """
    gone = kept = 0
    with _at_once(old, kernel.blobs) as each:
        for part in _slices(old.iterate()):
            named = known(kernel, [stored.digest for stored in part])
            sizes = each(kernel.blobs.size, [stored.digest for stored in part])
            needless = [
                stored.digest
                for stored, size in zip(part, sizes, strict=True)
                if size == stored.size or stored.digest not in named
            ]
            if needless and not dry_run:
                old.remove(needless)
            gone += len(needless)
            kept += len(part) - len(needless)
    return gone, kept


def _slices(found: Iterable[Stored]) -> Iterator[list[Stored]]:
    walk = iter(found)
    while part := list(islice(walk, SLICE)):
        yield part
