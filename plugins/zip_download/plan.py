"""What goes into a zip file, and under which names: decided before the first byte."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import ContentNotFound, drive_name, drive_tree

from .config import ZipConfig
from .errors import ZipTooLarge

NAME_BYTES = 255
PATH_BYTES = 32_000
MADE = ("thread",)
"""What has no bytes of its own: drives make a thread's text when it is read."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder of a zip file. Bytes come from a blob, or from the text of a revision."""

    path: str
    folder: bool
    size: int
    digest: str | None
    revision_id: int


def plan_of(ctx: Context, space_id: int, roots: Sequence[int] | None, *, inside: bool) -> list[Entry]:
    """Return the entries for some contents, or for a whole space, folders before what is in them.

    With `inside` the chosen folder itself is no entry, only what it holds. One statement; ContentNotFound where
    one of the chosen is not there or hidden, ZipTooLarge beyond the limits.
    """
    settings = ctx.config[ZipConfig]
    rows = drive_tree(ctx, space_id, roots, settings.max_entries + 1 + inside)
    known = {row.content_id for row in rows}
    if roots is not None and not known.issuperset(roots) and len(rows) <= settings.max_entries:
        raise ContentNotFound
    rows = [row for row in rows if row.content_type not in MADE]
    if len(rows) > settings.max_entries + inside:
        raise ZipTooLarge(f"more than {settings.max_entries} files and folders")
    size = sum(int(row.size or 0) for row in rows if row.content_type != "folder")
    if settings.max_bytes and size > settings.max_bytes:
        raise ZipTooLarge(f"{size} bytes are more than {settings.max_bytes}")
    children: dict[int, list[Any]] = defaultdict(list)
    folders = {row.content_id for row in rows if row.content_type == "folder"}
    for row in rows:
        children[row.parent_id if row.parent_id in folders else 0].append(row)
    return _named(children, roots[0] if inside and roots else 0)


def _named(children: dict[int, list[Any]], start: int) -> list[Entry]:
    found: list[Entry] = []
    queue = [(start, "")]
    while queue:
        parent, way = queue.pop()
        for row, name in _numbered(children.get(parent, ())):
            path, folder = way + name, row.content_type == "folder"
            if len(path.encode()) > PATH_BYTES:
                raise ZipTooLarge("folders lie too deep")
            size = 0 if folder else int(row.size or 0)
            shown = f"{path}/" if folder else path
            found.append(Entry(shown, folder, size, None if folder else row.digest, row.current_revision_id))
            if folder:
                queue.append((row.content_id, shown))
    return found


def _numbered(rows: Iterable[Any]) -> Iterable[tuple[Any, str]]:
    """Give each row a name of its own, also for systems that do not tell large letters from small ones."""
    taken: set[str] = set()
    last: dict[str, int] = {}  # where counting goes on: thousands of equal names must not be counted through again
    for row in rows:
        first = _key(name := safe_name(row.label, row.file_extension))
        number = last.get(first, 1)
        while _key(name) in taken:
            number += 1
            name = safe_name(row.label, row.file_extension, number)
        taken.add(_key(name))
        last[first] = number
        yield row, name


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def safe_name(label: str, extension: str, number: int = 1) -> str:
    """Return a name as drives show it that any system can unpack: no way out, no control characters, 255 bytes."""
    mark = "" if number == 1 else f" ({number})"
    end = _printable(drive_name("", extension))
    if len(end.encode()) >= 64:
        label, end = label + extension, ""
    room = NAME_BYTES - len((mark + end).encode())
    stem = _printable(drive_name(label, "")).encode()[:room].decode("utf-8", "ignore")
    name = stem + mark + end
    return f"_{name}" if name in ("", ".", "..") else name


def _printable(text: str) -> str:
    """Replace control characters, and those that turn the direction of writing around."""
    return "".join("_" if unicodedata.category(c) in ("Cc", "Cs") or c in TURNS else c for c in text)


TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
