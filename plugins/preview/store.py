"""The folder of previews that were built: files named by the digest of what they were made of.

Equal bytes are built once, whichever content or space they are in. Files come in by a rename, so a reader sees a
whole file or none. A failure is kept as well, until it is too old. Nothing here is needed: the folder may be
deleted at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

SMALL = 256 * 1024
"""Bytes of a preview that is read at once: cheaper than sending it block by block."""
LOCKS = 256
FAILED = ".failed"
DAY = 86400
STALE = 3600
"""Seconds after which a temporary file belongs to nobody."""
NANO = 1_000_000_000


@dataclass(frozen=True)
class Key:
    """What a preview is made of, and which one it is: `jpg-256x256-1`, `pdf-3`, `made`, `facts`."""

    digest: str
    builder: str
    kind: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.builder}-{self.kind}"


@dataclass(frozen=True)
class Made:
    """A preview that is there; `content` when it is small."""

    path: Path
    size: int
    etag: str
    content: bytes | None = None


class Failed(Exception):
    """This preview could not be built; `kind` is what it is told as: `unavailable`, `page` or `type`."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.detail = detail


class Missing(Failed):
    """What it would be built of is not there at this moment: no failure to keep."""


class Store:
    """One cache folder; several processes may use it."""

    def __init__(self, root: Path, *, largest: int, days: int, failure_hours: int) -> None:
        self.root = root
        self.largest = largest
        self.days = days
        self.failure_seconds = failure_hours * 3600
        self._written = 0
        self._trimming = threading.Lock()

    def path(self, key: Key) -> Path:
        """Return where a preview lies."""
        return self.root.joinpath(key.digest[:2], key.digest, key.name)

    def find(self, key: Key) -> Made | None:
        """Return a preview that is there; Failed when it is known that there is none."""
        path = self.path(key)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._raise_failure(path)
            return None
        try:
            facts = os.fstat(handle)
            content = os.read(handle, SMALL) if facts.st_size <= SMALL else None
        finally:
            os.close(handle)
        if content is not None and len(content) != facts.st_size:
            return None
        now = time.time()
        if now - facts.st_atime > DAY:
            with contextlib.suppress(OSError):  # it may have been made by another user; then its age counts
                os.utime(path, ns=(int(now * NANO), facts.st_mtime_ns))
        tag = sha256(f"{key.digest}/{key.name}/{facts.st_mtime_ns}/{facts.st_size}".encode()).hexdigest()[:16]
        return Made(path, facts.st_size, tag, content)

    def check(self, key: Key) -> None:
        """Raise Failed when it is known that a preview cannot be built."""
        self._raise_failure(self.path(key))

    def keep(self, key: Key, made: Path) -> None:
        """Move a finished file to its place."""
        path = self.path(key)
        size = made.stat().st_size
        _move(made, path)
        _failure(path).unlink(missing_ok=True)
        self._count(size)

    def keep_facts(self, key: Key, facts: dict[str, Any]) -> None:
        """Keep what is known of a file."""
        with self.file() as file:
            file.write_text(json.dumps(facts))
            self.keep(key, file)

    def keep_failure(self, key: Key, failed: Failed) -> None:
        """Keep that a preview cannot be built."""
        if not self.failure_seconds:
            return
        told = {"kind": failed.kind, "detail": failed.detail, "until": time.time() + self.failure_seconds}
        with self.file() as file:
            file.write_text(json.dumps(told))
            _move(file, _failure(self.path(key)))

    def _raise_failure(self, path: Path) -> None:
        try:
            with open(f"{path}{FAILED}", encoding="utf-8") as file:
                told = json.load(file)
            kind, detail, until = told["kind"], told["detail"], told["until"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        if time.time() < until:
            raise Failed(kind, detail)

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Give the path of one file to write, on the same file system; if it is still there then, it is deleted.

        A tenth of what a folder costs, for whoever writes nothing else.
        """
        place = self._place()
        try:
            yield place
        finally:
            _delete(str(place))

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a folder to work in, on the same file system; what is left in it is deleted."""
        import shutil

        place = self._place()
        place.mkdir(parents=True, mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _place(self) -> Path:
        """Return a new path to work at; nobody else may look there."""
        work = self.root / "work"
        if not work.is_dir():
            work.mkdir(parents=True, exist_ok=True, mode=0o700)
        return work / secrets.token_hex(16)

    @contextlib.contextmanager
    def lock(self, key: Key) -> Iterator[None]:
        """Hold what only one builder of all processes may do; a lock ends with its process."""
        number = int(sha256(f"{key.digest}/{key.name}".encode()).hexdigest()[:8], 16) % LOCKS
        place, flags = self.root / "locks", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            handle = os.open(place / f"{number:02x}", flags, 0o600)
        except FileNotFoundError:
            place.mkdir(parents=True, exist_ok=True)
            handle = os.open(place / f"{number:02x}", flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # -- bounds -----------------------------------------------------------------------------------------------

    def _count(self, size: int) -> None:
        """Trim early when much was written since the last time: the night may be far."""
        self._written += size
        if self._written > self.largest // 8 and self._trimming.acquire(blocking=False):
            try:
                self._written = 0
                self.trim()
            finally:
                self._trimming.release()

    def trim(self) -> tuple[int, int]:
        """Delete what is too old, then what was unused longest until the rest fits; returns files and bytes."""
        now = time.time()
        kept: list[tuple[float, int, str]] = []
        files = freed = 0
        for place, path, facts in self._files():
            used = max(facts.st_atime, facts.st_mtime)
            stale = place == "work" and now - facts.st_mtime > STALE
            if stale or (place != "work" and now - used > self.days * DAY):
                files, freed = files + 1, freed + facts.st_size
                _delete(path)
            elif place != "work":
                kept.append((used, facts.st_size, path))
        kept.sort()
        over = sum(size for _, size, _ in kept) - self.largest
        for _, size, path in kept:
            if over <= 0:
                break
            over -= size
            files, freed = files + 1, freed + size
            _delete(path)
        self._drop_empty()
        return files, freed

    def _files(self) -> Iterator[tuple[str, str, os.stat_result]]:
        """Yield the top folder, path and facts of each file."""
        for top in _entries(self.root):
            if top.name == "locks" or not top.is_dir(follow_symlinks=False):
                continue
            for place, _, names in os.walk(top.path):
                for name in names:
                    path = os.path.join(place, name)
                    with contextlib.suppress(OSError):
                        yield top.name, path, os.lstat(path)

    def _drop_empty(self) -> None:
        for top in _entries(self.root):
            if len(top.name) == 2 and top.is_dir(follow_symlinks=False):
                for inner in _entries(Path(top.path)):
                    with contextlib.suppress(OSError):  # not empty, or filled at this moment
                        os.rmdir(inner.path)


def _move(made: Path, path: Path) -> None:
    """Put a finished file in its place, whose folder may vanish at this moment because it is empty."""
    for _ in range(3):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            made.replace(path)
            return
    raise FileNotFoundError(path)


def _failure(path: Path) -> Path:
    return path.with_name(f"{path.name}{FAILED}")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _delete(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
