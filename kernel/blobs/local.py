"""The store that is a folder of this machine, or of a disk that several share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .store import BlobStore, Known, Stored, is_older
from .temporary import TemporaryBlob, room


class LocalBlobs(BlobStore):
    """A folder of files, each below the first four digits of its name."""

    def path(self, digest: str) -> Path:
        """Return where the blob lies."""
        return self.root / digest[:2] / digest[2:4] / digest

    def upload(self, blob: TemporaryBlob, *, known: bool | None = None) -> None:
        """Write bytes that are still in memory, unless equal ones lie there: `keep` looks whether they count."""
        if blob.held and not self.path(blob.digest).exists():
            blob.land(fsync=self.fsync)

    def put(self, blob: TemporaryBlob) -> None:
        """Move the temporary file to its place."""
        target = self.path(blob.digest)
        blob.land(fsync=self.fsync)
        with room():
            try:
                blob.path.replace(target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                blob.path.replace(target)
        if self.fsync:
            _sync_folder(target.parent)

    def _settle(self, blob: TemporaryBlob, *, known: bool) -> None:
        target = self.path(blob.digest)
        if known and target.exists():  # the sweep leaves alone what has a row
            blob.discard()
            return
        # Its own file even where equal bytes lie already without a row: it is young, so the sweep leaves it
        # alone until this unit has committed.
        if blob.present or not target.exists():  # a unit that is tried again has moved it already
            self.put(blob)

    def source(self, digest: str) -> Path:
        """Return the file."""
        return self.path(digest)

    @contextmanager
    def local(self, digest: str) -> Iterator[Path]:
        """Give the file itself."""
        yield self.path(digest)

    def size(self, digest: str) -> int | None:
        """Return the size of the file."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def iterate(self) -> Iterator[Stored]:
        """Walk the folder."""
        for path in self.root.glob("??/??/*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            yield Stored(path.name, facts.st_size, facts.st_mtime)

    def remove(self, digests: list[str]) -> None:
        """Delete the files."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def sweep(self, is_known: Known, *, older_than_seconds: int = 86400) -> int:
        """Delete old temporary files and old files without a row; returns how many."""
        limit = time.time() - older_than_seconds
        removed = 0
        self._put_back(is_known)
        old = [p for p in self.root.glob("??/??/*") if is_older(p, limit)]
        for start in range(0, len(old), 500):
            chunk = old[start : start + 500]
            known = is_known(p.name for p in chunk)
            for path in chunk:
                if path.name not in known:
                    removed += self._remove(path, limit)
        return removed + self._empty_incoming(limit)

    def _put_back(self, is_known: Known) -> None:
        """Put back what a sweep that died had in its hand."""
        held = {p.name.removeprefix("doomed-"): p for p in self.incoming.glob("doomed-*")}
        for name in is_known(held) if held else ():
            held[name].replace(self.path(name))

    def _remove(self, path: Path, limit: float) -> bool:
        """Delete an old file without a row; one that `keep` put there meanwhile is put back."""
        doomed = self.incoming / f"doomed-{path.name}"
        try:
            path.replace(doomed)
        except FileNotFoundError:
            return False
        if doomed.stat().st_mtime >= limit:
            doomed.replace(path)
            return False
        doomed.unlink()
        return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
