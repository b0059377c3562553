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
    """A folder of files, each in a folder named by the first two digits of its name.

    Stores that were begun with a second folder below it, by the next two digits, stay so: nearly every new file of
    a store that is not yet large then makes folders, which costs more than to write it.
    """

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        super().__init__(root, fsync=fsync)
        self._deep: bool | None = None

    @property
    def deep(self) -> bool:
        """Tell whether there is a second folder; what is there says it, an empty store has one."""
        if self._deep is None:
            self._deep = _layout(self.root)
        return bool(self._deep)

    def path(self, digest: str) -> Path:
        """Return where the blob lies."""
        if self.deep:
            return self.root / digest[:2] / digest[2:4] / digest
        return self.root / digest[:2] / digest

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
                self._make_folder(target.parent)
                blob.path.replace(target)
        if self.fsync:
            _sync_folder(target.parent)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder for files, so that its name is on the disk too."""
        if folder.exists():
            return
        if folder != self.root:
            self._make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
        else:
            folder.mkdir(parents=True, exist_ok=True)
        if self.fsync:
            _sync_folder(folder.parent)

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
        for path in self._files():
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            yield Stored(path.name, facts.st_size, facts.st_mtime)

    def _files(self) -> Iterator[Path]:
        return self.root.glob("??/??/*" if self.deep else "??/*")

    def remove(self, digests: list[str]) -> None:
        """Delete the files."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def sweep(self, is_known: Known, *, older_than_seconds: int = 86400) -> int:
        """Delete old temporary files and old files without a row; returns how many."""
        limit = time.time() - older_than_seconds
        removed = 0
        self._put_back(is_known)
        old = [p for p in self._files() if is_older(p, limit)]
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


def _layout(root: Path) -> bool | None:
    """Tell whether the files of a store lie two folders deep; None where it has neither files nor such folders."""
    for folder in root.glob("[0-9a-f][0-9a-f]"):
        for path in folder.iterdir():
            return len(path.name) == 2
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
