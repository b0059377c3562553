"""Sending a zip file: read in threads of its own, block by block, with no unit of work open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from atrio.kernel.http.downloads import READ_BLOCK, SANDBOX, content_disposition
from atrio.kernel.http.response import Response, StreamResponse
from atrio.plugins.core_content.api import text_of

from .config import ZipConfig
from .plan import Entry

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.pool import WorkPool


def blocks_of(kernel: Kernel, entry: Entry) -> Iterator[bytes]:
    """Give the bytes of a file: those of its blob, or the text of its revision, read in a unit of its own."""
    if entry.digest is None:
        row = kernel.run(lambda ctx: text_of(ctx, entry.revision_id), writes=False)
        yield str(row.raw_content or "").encode() if row is not None else b""
        return
    with kernel.blobs.open(entry.digest) as file:
        while block := file.read(READ_BLOCK):
            yield block


def answer(kernel: Kernel, entries: Sequence[Entry], name: str) -> Response:
    """Return the answer with a zip file, its length announced."""
    from .adapters.archive import Archive

    archive = Archive(entries, lambda entry: blocks_of(kernel, entry))
    headers = [
        ("content-length", str(archive.length)),
        ("content-disposition", content_disposition(name, attachment=True)),
        ("content-security-policy", SANDBOX),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-store"),
    ]
    pool = kernel.part("zip_download.pool", lambda: _pool(kernel))
    return StreamResponse(200, b"", headers, "application/zip", _chunks(pool, archive.blocks))


def _pool(kernel: Kernel) -> WorkPool:
    return kernel.open_pool("zip", kernel.config[ZipConfig].threads, 1024)


def _chunks(pool: WorkPool, begin: Callable[[], Iterator[bytes]]) -> Callable[[], AsyncIterator[bytes]]:
    async def chunks() -> AsyncIterator[bytes]:
        source = begin()
        try:
            while block := await pool.run(_gather, source):
                yield block
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                await pool.run(close)

    return chunks


def _gather(source: Iterator[bytes]) -> bytes:
    """Take pieces until they are worth sending."""
    parts: list[bytes] = []
    size = 0
    for part in source:
        parts.append(part)
        size += len(part)
        if size >= READ_BLOCK:
            break
    return b"".join(parts)
