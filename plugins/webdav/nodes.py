"""What the drive shows: one node for each thing, whoever keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SECOND = 1_000_000


@dataclass(frozen=True)
class Node:
    """One thing on the drive. `key` is its place by ids, the same whoever looks: locks hang on it.

    Kinds: `root`, `space`, `content`, `scratch` (a helper file that is kept aside for one user) and `tree` (what
    another plugin shows).
    """

    kind: str
    name: str
    key: str
    space_id: int = 0
    row: Any = None
    made: tuple[int, str] | None = None
    """Length and ETag of what is made when it is read, where somebody has made it."""

    @property
    def is_folder(self) -> bool:
        """True for what has members."""
        if self.kind == "content":
            return bool(self.row.content_type == "folder")
        return bool(self.row.folder) if self.kind in ("scratch", "tree") else self.kind != "pending"

    @property
    def content_id(self) -> int | None:
        """The id of a content, None for everything else."""
        return int(self.row.content_id) if self.kind == "content" else None

    @property
    def place(self) -> str:
        """The last part of the key, which names the thing by itself: `s3`, `c41`, `t9`; empty for the root."""
        return self.key.rpartition("/")[2]

    @property
    def resource(self) -> str | None:
        """The key of its dead properties, None where none can be kept."""
        return property_key(self.key)

    @property
    def size(self) -> int | None:
        """The number of its bytes, None where they are made when they are read."""
        if self.kind == "content" and self.row.content_type == "thread":
            return None if self.made is None else self.made[0]
        if self.kind == "tree" and self.row.size is None:
            return None if self.made is None else self.made[0]
        return int(self.row.size or 0)

    @property
    def etag(self) -> str | None:
        """The strong ETag without quotes, None for folders and for what is made when it is read."""
        if self.is_folder or self.kind == "pending":
            return None
        if self.kind == "content" and self.row.content_type == "thread":
            return None if self.made is None else self.made[1]
        if self.kind == "scratch":
            return f"x{self.row.scratch_id}-{self.row.version}"
        return str(self.row.etag) if self.kind == "tree" else f"r{self.row.current_revision_id}"

    @property
    def media(self) -> str:
        """The media type as it was stored or guessed."""
        if self.kind == "content" and self.row.content_type in ("html-document", "thread"):
            return "text/html; charset=utf-8"
        return self.row.mimetype or "application/octet-stream"

    @property
    def created(self) -> int | None:
        """When it was made, in microseconds."""
        return getattr(self.row, "created", None)

    @property
    def modified(self) -> int | None:
        """When it was changed last, in microseconds."""
        return getattr(self.row, "modified", None) or self.created


@dataclass(frozen=True)
class Folder:
    """Where something is saved: a folder of a space, or its root (content_id None), and its place."""

    space_id: int
    content_id: int | None
    place: str

    @classmethod
    def of(cls, node: Node) -> Folder:
        """Return the folder of a node."""
        return cls(node.space_id, node.content_id, node.place)


ROOT = Node("root", "", "")
KINDS = {"c": "content", "s": "space", "t": "scratch"}


def property_key(key: str) -> str | None:
    """Return whose dead properties those of a place are: they follow the thing, not its path."""
    last = key.rstrip("/").rpartition("/")[2]
    return f"{KINDS[last[0]]}:{last[1:]}" if last[:1] in KINDS and last[1:].isdigit() else None


def is_text(path: str) -> bool:
    """Tell whether a decoded path can name anything: no NUL, no half characters."""
    try:
        return b"\x00" not in path.encode()
    except UnicodeEncodeError:
        return False
