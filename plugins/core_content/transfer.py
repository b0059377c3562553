"""Whole folders in and out: the services and guards of every other door, one small unit of work a file.

Both directions go on where they stopped: what is there already with the same bytes is left alone, a file
that differs becomes a new revision (in) or is written again (out).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from atrio.kernel.blobs import Source
from atrio.kernel.context import Actor, Context
from atrio.kernel.host import Kernel
from atrio.plugins.accounts.api import UserNotFound, by_login, first_administrator
from atrio.plugins.spaces.api import (
    CONTENT_MANAGER,
    CONTRIBUTOR,
    CREATE_SPACE,
    READER,
    SPACE,
    SpaceNotFound,
    create_space,
    find_by_label,
)

from . import queries, services
from .names import name_key, split_name, usable
from .types import content_types

BLOCK = 1024 * 1024
NAME_BYTES = 255
Progress = Callable[[int, str], None]


@dataclass
class Report:
    """What a transfer did, and what it had to leave out."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    folders: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Transfer:
    """A space, and who acts in it."""

    kernel: Kernel
    actor: Actor
    space_id: int

    def run(self, call: Callable[[Context], Any], *guards: Any, writes: bool = True) -> Any:
        """Run a call behind the guards of the routes."""
        path = {"workspace_id": str(self.space_id)}
        return self.kernel.run(call, actor=self.actor, guards=(SPACE, *guards), path=path, writes=writes)


def open_transfer(kernel: Kernel, label: str, login: str | None, *, create: bool) -> Transfer:
    """Find the acting user and the space; with `create` a space that is not there is made."""

    def find(ctx: Context) -> tuple[Any, Any]:
        user = by_login(ctx, login) if login else first_administrator(ctx)
        if user is None or not user.is_active or user.is_deleted:
            raise UserNotFound(f"no active user has the login {login}")
        return user, find_by_label(ctx, user.user_id, label)

    user, space = kernel.run(find, writes=False)
    actor = Actor(user.user_id, "user", user, "cli")
    if space is not None:
        return Transfer(kernel, actor, space.space_id)
    if not create:
        raise SpaceNotFound(f"{user.public_name} is in no space named {label}")
    values = {
        "label": label, "description": "", "access_type": "confidential", "default_user_role": "reader",
        "agenda_enabled": True, "public_upload_enabled": True, "public_download_enabled": True,
        "publication_enabled": True, "parent_id": None,
    }  # fmt: skip
    space_id = kernel.run(lambda ctx: create_space(ctx, values), actor=actor, guards=(CREATE_SPACE,))
    return Transfer(kernel, actor, space_id)


# -- in ----------------------------------------------------------------------------------------------------


def measure(source: Path) -> tuple[int, int]:
    """Return how many files a folder holds and their bytes, symbolic links left out."""
    count = size = 0
    for folder, _, names in os.walk(source):
        for name in names:
            info = os.lstat(os.path.join(folder, name))
            if stat.S_ISREG(info.st_mode):
                count += 1
                size += info.st_size
    return count, size


def import_tree(transfer: Transfer, source: Path, progress: Progress | None = None) -> Report:
    """Bring a folder of the disk into a space; what cannot be stored is reported, never skipped in silence."""
    report = Report()
    queue: list[tuple[Path, int]] = [(source, 0)]
    while queue:
        folder, parent = queue.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            report.problems.append(f"{_shown(str(folder))}: {error.strerror}")
            continue
        for entry in entries:
            try:
                if entry.is_symlink():
                    report.problems.append(f"{_shown(entry.path)}: symbolic link, not followed")
                elif entry.is_dir(follow_symlinks=False):
                    queue.append((Path(entry.path), _folder(transfer, report, entry.name, parent)))
                elif entry.is_file(follow_symlinks=False):
                    _file(transfer, report, Path(entry.path), parent)
                    if progress:
                        progress(entry.stat(follow_symlinks=False).st_size, entry.name)
                else:
                    report.problems.append(f"{_shown(entry.path)}: neither file nor folder")
            except Exception as error:
                report.problems.append(f"{_shown(entry.path)}: {error.__class__.__name__}: {error}")
    return report


def _shown(path: str) -> str:
    """Return a path that can be printed, whatever bytes it holds."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _child(transfer: Transfer, parent: int, label: str, extension: str) -> Any:
    return transfer.run(
        lambda ctx: queries.CHILD.first(
            ctx, space_id=transfer.space_id, parent_key=parent, namespace="content",
            name_key=name_key(label, extension),
        ),
        READER, writes=False,
    )  # fmt: skip


def _folder(transfer: Transfer, report: Report, name: str, parent: int) -> int:
    if not usable(name):
        raise ValueError("the name is not UTF-8 or too long")
    found = _child(transfer, parent, name, "")
    if found is not None:
        if found.type != "folder":
            raise ValueError(f"the space holds a {found.type} of this name")
        return int(found.content_id)
    report.folders += 1
    folder: int = transfer.run(
        lambda ctx: services.create_content(
            ctx, ctx.resources["space"], kind=content_types(ctx.kernel)["folder"], label=name,
            parent_id=parent or None, namespace="content",
        ),
        CONTENT_MANAGER,
    )  # fmt: skip
    return folder


def _file(transfer: Transfer, report: Report, path: Path, parent: int) -> None:
    if not usable(path.name):
        raise ValueError("the name is not UTF-8 or too long")
    label, extension = split_name(path.name)
    found = _child(transfer, parent, label, extension)
    size = path.lstat().st_size
    if found is not None:
        if found.digest is None and found.type == "folder":
            raise ValueError("the space holds a folder of this name")
        if found.size == size and found.digest == digest_of(path):
            report.unchanged += 1
            return
    blob = transfer.kernel.blobs.take(path)
    try:
        transfer.kernel.check_received(blob)
        transfer.kernel.blobs.upload(blob)
        if found is None:
            transfer.run(
                lambda ctx: services.create_file(
                    ctx, ctx.resources["space"], name=path.name, blob=blob, media="",
                    parent_id=parent or None, namespace="content",
                ),
                CONTRIBUTOR,
            )  # fmt: skip
            report.created += 1
        else:
            transfer.run(
                lambda ctx: services.replace_bytes(
                    ctx, ctx.resources["space"], queries.one(ctx, transfer.space_id, found.content_id),
                    name=path.name, blob=blob, media="",
                ),
                CONTRIBUTOR,
            )  # fmt: skip
            report.changed += 1
        report.size += blob.size
    finally:
        blob.discard()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


# -- out ---------------------------------------------------------------------------------------------------


def export_tree(transfer: Transfer, target: Path, progress: Progress | None = None) -> Report:
    """Write a space to a folder of the disk; notes as HTML files, files byte for byte."""
    report = Report()
    target.mkdir(parents=True, exist_ok=True)
    for row, folder, name in _walk(transfer, target, report):
        path = folder / name
        try:
            if row.digest is not None:
                _write(report, path, transfer.kernel.blobs.source(row.digest), row.digest, row.size)
            else:
                _write_text(report, path, row.raw_content)
            if progress:
                progress(row.size or 0, name)
        except OSError as error:
            report.problems.append(f"{path}: {error.strerror or error}")
    return report


def _walk(transfer: Transfer, target: Path, report: Report) -> Iterator[tuple[Any, Path, str]]:
    queue: list[tuple[int, Path]] = [(0, target)]
    while queue:
        parent, folder = queue.pop()
        rows = transfer.run(partial(_level, transfer.space_id, parent), READER, writes=False)
        for row in rows:
            name = disk_name(row.label, row.file_extension, row.content_id)
            if row.type == "folder":
                (folder / name).mkdir(exist_ok=True)
                report.folders += 1
                queue.append((row.content_id, folder / name))
            else:
                yield row, folder, name
                if row.type not in ("file", "kanban", "logbook"):
                    # What hangs below a note or thread lies in a folder beside it.
                    queue.append((row.content_id, _beside(folder, name)))


def _level(space_id: int, parent: int, ctx: Context) -> list[Any]:
    return queries.TREE_LEVEL.all(ctx, space_id=space_id, parent_key=parent, namespace="content")


def _beside(folder: Path, name: str) -> Path:
    return folder / f"{name}.d"


def disk_name(label: str, extension: str, content_id: int) -> str:
    """Return a name the disk takes: no slash, not `.` or `..`, at most 255 bytes."""
    name = (label + extension).replace("/", "⧸")
    if name in ("", ".", ".."):
        name = f"_{name}"
    if len(os.fsencode(name)) <= NAME_BYTES:
        return name
    mark = f"~{content_id}{extension if len(os.fsencode(extension)) < 64 else ''}"
    stem = os.fsencode(label.replace("/", "⧸"))[: NAME_BYTES - len(os.fsencode(mark))]
    return stem.decode("utf-8", "ignore") + mark


def _write(report: Report, path: Path, source: Source, digest: str, size: int) -> None:
    if path.is_file() and not path.is_symlink() and path.lstat().st_size == size and digest_of(path) == digest:
        report.unchanged += 1
        return
    existed = path.exists()
    with _Partial(path) as (file, done):
        with source.open("rb") as stored:
            while block := stored.read(BLOCK):
                file.write(block)
        done()
    report.size += size
    report.changed += existed
    report.created += not existed


def _write_text(report: Report, path: Path, text: str) -> None:
    data = text.encode("utf-8")
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        report.unchanged += 1
        return
    existed = path.exists()
    with _Partial(path) as (file, done):
        file.write(data)
        done()
    report.size += len(data)
    report.changed += existed
    report.created += not existed


class _Partial:
    """Write beside the target and put it in place at the end: a name never shows half a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.beside = path.with_name(f".atrio-{os.getpid()}.part")
        self.finished = False

    def __enter__(self) -> tuple[Any, Callable[[], None]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.beside.unlink(missing_ok=True)
        self.file = self.beside.open("xb")
        return self.file, self._done

    def _done(self) -> None:
        self.finished = True

    def __exit__(self, *error: object) -> None:
        self.file.close()
        if self.finished:
            self.beside.replace(self.path)
        else:
            self.beside.unlink(missing_ok=True)
