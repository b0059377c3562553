"""The store of bytes in a bucket.

Never a row without bytes, though nothing can be held in the hand here: a blob is sent before its unit opens, and
only what has no row, is old, and was claimed by a row of its own is deleted. A unit that wants to keep what is
claimed meanwhile is refused for a minute. That a blob was sent counts for `TRUST` seconds; claims stay at least
that long after the deletion, so none can fall between the sending and the row.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from atrio.kernel.blobs import BLOCK, BlobStore, Known, Source, Stored, TemporaryBlob
from atrio.kernel.config import StorageConfig
from atrio.kernel.errors import BlobsUnavailable, BootError
from atrio.kernel.storage import claim, unclaim
from atrio.kernel.storage import known as rows_of

from .adapters.objects import Objects
from .cache import Cache
from .config import S3Config, faults
from .reading import RemoteFile, RemoteSource

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

log = logging.getLogger("atrio.storage_s3")
TRUST = 60.0
"""For how many seconds the sending of a blob counts when its row is written."""
CLAIM = 600
"""After how many seconds a claim is that of a process that died."""
HASTE = 200.0
"""How many seconds a sweep may take between a claim and the deletion."""
YOUNGEST = 3600
"""What was stored in this many last seconds is never swept."""
TOGETHER = 100
CHECKED = 5.0
"""For how many seconds the answer of a check is good: the route of readiness is open to everybody."""
NAME = re.compile(r"(?:[0-9a-f]{2}/){2}([0-9a-f]{64})")


class S3Blobs(BlobStore):
    """Objects of a bucket; their names are those of the files of the local store."""

    remote = True
    threads = 8  # each keeps some memory of the largest block that it had
    claim_seconds = CLAIM

    def __init__(self, kernel: Kernel, settings: S3Config | None = None) -> None:
        given = kernel.config[S3Config] if settings is None else settings
        super().__init__(Path(kernel.config[StorageConfig].data_dir) / "blobs", fsync=False)
        self.kernel = kernel
        self.objects = Objects(given)
        self.cache = Cache(self.root / "cache", given.cache_size)
        self._checking = threading.Lock()
        self._checked: tuple[float, Exception | None] = (0.0, None)

    @staticmethod
    def key(digest: str) -> str:
        """Return the name of the object."""
        return f"{digest[:2]}/{digest[2:4]}/{digest}"

    # -- in ------------------------------------------------------------------------------------------------

    def upload(self, blob: TemporaryBlob, *, known: bool | None = None) -> None:
        """Send a finished blob, unless it has a row and is there."""
        blob.close(fsync=False)
        if known is None:
            known = bool(rows_of(self.kernel, [blob.digest]))
        if not known or self.size(blob.digest) != blob.size:
            self.put(blob)

    def put(self, blob: TemporaryBlob) -> None:
        """Send the bytes, in parts where they are many."""
        self.objects.put(self.key(blob.digest), blob.path, blob.size)
        blob.stored_at = time.monotonic()

    def _settle(self, blob: TemporaryBlob, *, known: bool) -> None:
        if not known and (blob.stored_at is None or time.monotonic() - blob.stored_at > TRUST):
            self.put(blob)

    def _settle_again(self, blob: TemporaryBlob) -> None:
        self.put(blob)

    # -- out -----------------------------------------------------------------------------------------------

    def source(self, digest: str) -> Source:
        """Return the object, to be opened later."""
        return RemoteSource(self.objects, self.key(digest))

    def local(self, digest: str) -> AbstractContextManager[Path]:
        """Give a copy in the cache, fetched where there is none."""

        def fetch(path: Path) -> None:
            hashed = hashlib.sha256()
            with path.open("xb") as file:
                remote = RemoteFile(self.objects, self.key(digest))
                while block := remote.read(4 * BLOCK):
                    hashed.update(block)
                    file.write(block)
            if hashed.hexdigest() != digest:
                log.error("the object %s has other bytes than its name says", digest)
                raise BlobsUnavailable("the store of files gave other bytes")

        return self.cache.lent(digest, fetch)

    def size(self, digest: str) -> int | None:
        """Ask for the size of the object."""
        found = self.objects.head(self.key(digest))
        return None if found is None else found.size

    # -- care ----------------------------------------------------------------------------------------------

    def iterate(self) -> Iterator[Stored]:
        """List the objects; what has another name is not ours."""
        for found in self.objects.each():
            match = NAME.fullmatch(found.key)
            if match and found.key == self.key(match[1]):
                yield Stored(match[1], found.size, found.modified)

    def remove(self, digests: list[str]) -> None:
        """Delete objects."""
        self.objects.delete([self.key(digest) for digest in digests])

    def sweep(self, is_known: Known, *, older_than_seconds: int = 86400) -> int:
        """Delete old temporary files and old objects without a row; returns how many."""
        limit = time.time() - max(older_than_seconds, YOUNGEST)
        unclaim(self.kernel, seconds=CLAIM)
        removed = 0
        waiting: list[str] = []
        for stored in self.iterate():
            if stored.modified < limit:
                waiting.append(stored.digest)
            if len(waiting) == TOGETHER:
                removed += self._sweep(waiting, is_known, limit)
                waiting = []
        removed += self._sweep(waiting, is_known, limit)
        self.cache.trim(before=limit)
        return removed + self._empty_incoming(limit)

    def _sweep(self, digests: list[str], is_known: Known, limit: float) -> int:
        """Claim what has no row, look again how old it is, and delete it. The claims stay for the next sweep."""
        kept = is_known(digests) if digests else set()
        began = time.monotonic()
        claimed = claim(self.kernel, [d for d in digests if d not in kept])
        doomed: list[str] = []
        try:
            for digest in claimed:
                found = self.objects.head(self.key(digest))
                if found is not None and found.modified < limit:
                    doomed.append(digest)
        except BlobsUnavailable:
            unclaim(self.kernel, claimed)
            raise
        if time.monotonic() - began > HASTE:
            doomed = []
        unclaim(self.kernel, [d for d in claimed if d not in doomed])
        if doomed:
            self.remove(doomed)
        return len(doomed)

    def check(self) -> None:
        """Ask the bucket, once in a few seconds: BootError when it refuses, BlobsUnavailable when it is away."""
        reason = faults(self.kernel.config)
        if reason is not None:
            raise BootError(reason)
        with self._checking:
            moment, error = self._checked
            if time.monotonic() - moment > CHECKED or not moment:
                error = None
                try:
                    self.objects.check()
                except Exception as found:  # noqa: BLE001 - it is raised below, and again to others
                    error = found
                self._checked = (time.monotonic(), error)
        if error is not None:
            raise error

    def close(self) -> None:
        """Let go of connections."""
        self.objects.close()
