"""Copies of objects in a folder of this machine, for what needs a path: the oldest go when there are too many.

Several processes may use one folder. Who is given a copy has a link to it of his own, so that it stays for as
long as he needs it, whatever the others delete.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Cache:
    """A folder of copies, of so many bytes at most."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    @contextmanager
    def lent(self, name: str, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """Give the path of a copy while the block lasts; `fetch` writes one where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mine = self.folder / f"lent-{secrets.token_hex(16)}"
        try:
            if not self._lend(name, mine):
                fetch(mine)
                self._keep(name, mine)
            yield mine
        finally:
            mine.unlink(missing_ok=True)

    def _lend(self, name: str, mine: Path) -> bool:
        kept = self.folder / name
        try:
            _link(kept, mine)
            os.utime(kept)  # it was wanted just now
        except FileNotFoundError:
            return mine.exists()
        return True

    def _keep(self, name: str, mine: Path) -> None:
        if mine.stat().st_size > self.limit:
            return
        beside = self.folder / f"{mine.name}-new"
        _link(mine, beside)
        beside.replace(self.folder / name)
        self.trim()

    def trim(self, before: float = 0) -> None:
        """Delete the copies that were not wanted for longest, until the others fit, and what was lent long ago.

        `before` is the moment, in seconds since the epoch, before which nothing that was lent is still in use.
        """
        copies = []
        for path in self.folder.glob("*"):
            with suppress(FileNotFoundError):
                facts = path.stat()
                if not path.name.startswith("lent-"):
                    copies.append((facts.st_mtime, facts.st_size, path))
                elif facts.st_mtime < before:
                    path.unlink(missing_ok=True)
        held = sum(size for _, size, _ in copies)
        for _, size, path in sorted(copies):
            if held <= self.limit:
                return
            path.unlink(missing_ok=True)
            held -= size


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; a copy where the disk cannot."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
