"""Reads files in a process of their own and writes what was found to the texts that are searched."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Write
from atrio.kernel.db.upsert import upsert
from atrio.kernel.host import Kernel

from ..choice import outside
from ..config import SearchConfig
from ..extract import Extracted, Limits, target_of, text_of
from ..services import mark, set_file_text
from . import queries
from .models import EXTRACT, FILE

log = logging.getLogger("atrio.search")


def offered(kernel: Kernel) -> Mapping[str, str]:
    """Return the extractors of other plugins by media type; asked once for an instance."""

    def collect() -> dict[str, str]:
        given = kernel.hooks.hook.register_extractors()
        return {mimetype.lower(): target for each in given for mimetype, target in (each or {}).items()}

    return kernel.memo("search.extractors", collect)


def limits_of(kernel: Kernel) -> Limits:
    """Return what reading one file may cost."""
    settings = kernel.config[SearchConfig]
    return Limits(
        settings.file_size, settings.text_limit, settings.file_seconds, settings.file_memory_mib
    )  # fmt: skip


def version_of(kernel: Kernel) -> str:
    """Name all on which it depends whether a file can be read."""
    settings = kernel.config[SearchConfig]
    parts = (
        limits_of(kernel).version, sorted(offered(kernel).items()), settings.file_types,
        settings.file_types_excluded,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def read_file(ctx: Context, content_id: int) -> str:
    """Bring the text of a file in line with its bytes and return what was done; a second time does nothing.

    Bytes that are known are not read again: their text is taken from a content that has it, and a failure
    stands. No transaction is open while the child reads. OSError when the bytes are not in the store.
    """
    row = queries.CURRENT.first(ctx, content_id=content_id)
    if row is None or not ctx.config[SearchConfig].read_files:
        return "nothing to read"
    version = version_of(ctx.kernel)
    settled = row.version == version or (row.outcome == "read" and not row.truncated)
    if settled and row.noted == row.digest:
        return "known"
    if settled and row.outcome == "read":
        twin = queries.SAME_BYTES.first(ctx, digest=row.digest)
        if twin is not None:
            _store_text(ctx, row, twin.file)
            return "taken over"
    elif settled:
        _store_text(ctx, row, "")
        return "known"
    with ctx.released():
        found = _read(ctx.kernel, row)
    return _store(ctx, row, version, found)


def _read(kernel: Kernel, row: Any) -> Extracted:
    settings = kernel.config[SearchConfig]
    mimetype = row.mimetype.partition(";")[0].strip().lower()
    if mimetype in settings.file_types_excluded or (settings.file_types and mimetype not in settings.file_types):
        return Extracted("unsupported", detail="left out by the settings")
    limits = limits_of(kernel)
    if kernel.blobs.remote:  # what cannot be read need not travel
        with kernel.blobs.open(row.digest) as file:
            size = kernel.blobs.size(row.digest) or 0
            refused = target_of(file, size, row.mimetype, row.filename, limits, offered(kernel))
        if isinstance(refused, Extracted):
            return refused
    with kernel.blobs.local(row.digest) as path:
        found = text_of(path, row.mimetype, row.filename, limits, offered(kernel))
    if found.outcome == "failed":
        log.info("no text of content %d: %s", row.content_id, found.detail)
    return found


def _store(ctx: Context, read: Any, version: str, found: Extracted) -> str:
    """Write what came of it; the text only if the content still has these bytes."""
    values = {
        "bytes_digest": read.digest, "version": version, "outcome": found.outcome,
        "truncated": int(found.truncated), "length": len(found.text), "detail": found.detail, "made": ctx.now,
    }  # fmt: skip
    columns = [name for name in values if name != "bytes_digest"]
    write = ctx.kernel.memo(
        "search.extract", lambda: Write(upsert(ctx.dialect, EXTRACT, ("bytes_digest",), overwrite=columns))
    )
    write.run(ctx, values)
    row = queries.CURRENT.first(ctx, content_id=read.content_id)
    if row is not None and row.digest == read.digest:
        _store_text(ctx, row, found.text)
    return found.outcome


def _store_text(ctx: Context, row: Any, text: str) -> None:
    set_file_text(ctx, [row.content_id], text)
    values = {"content_id": row.content_id, "bytes_digest": row.digest}
    write = ctx.kernel.memo(
        "search.file", lambda: Write(upsert(ctx.dialect, FILE, ("content_id",), overwrite=("bytes_digest",)))
    )
    write.run(ctx, values)
    if outside(ctx.kernel):
        mark(ctx, "content", (row.content_id,))


def forget_unused(ctx: Context) -> int:
    """Delete what is known of bytes that no content has; returns how many."""
    unused = ~select(FILE.c.bytes_digest).where(FILE.c.bytes_digest == EXTRACT.c.bytes_digest).exists()
    result: Any = ctx.execute(delete(EXTRACT).where(unused))
    return int(result.rowcount)
