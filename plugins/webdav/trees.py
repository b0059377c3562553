"""Folders at the top of the drive that other plugins show: declared by `register_dav_trees`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrio.kernel.context import Context
from atrio.kernel.errors import BootError

from .errors import NotWritable
from .nodes import Node

if TYPE_CHECKING:
    from pathlib import Path

    from atrio.kernel.host import Kernel

log = logging.getLogger("atrio.webdav")
REQUIRED, OPTIONAL = {"name", "list", "find", "read"}, {"write", "delete"}


@dataclass(frozen=True)
class Entry:
    """One file or folder of a tree."""

    tree: str
    path: tuple[str, ...]
    folder: bool
    size: int | None
    mimetype: str
    created: int | None
    modified: int | None
    etag: str


class Trees:
    """The trees of all running plugins, by name."""

    def __init__(self, declared: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._trees: dict[str, Mapping[str, Any]] = {}
        for owner, tree in declared:
            wrong = (REQUIRED - tree.keys()) | (tree.keys() - REQUIRED - OPTIONAL)
            if wrong:
                raise BootError(f"a tree of {owner} lacks or has a key too many: {', '.join(sorted(wrong))}")
            name = tree["name"]
            if not isinstance(name, str) or not name.strip() or "/" in name or name.endswith(".space"):
                raise BootError(f"{name!r} of {owner} is no name for a folder on the drive")
            if name in self._trees:
                raise BootError(f"two plugins show a folder {name!r} on the drive")
            self._trees[name] = tree

    def tops(self, taken: set[str]) -> list[Node]:
        """Return the folders at the top; a space of the same name hides one."""
        return [self._node(name, (), {"folder": True}) for name in sorted(self._trees) if name not in taken]

    def find(self, ctx: Context, names: Sequence[str]) -> Node | None:
        """Return what is at a path that begins with a tree's name, None when there is nothing."""
        tree = self._trees.get(names[0])
        if tree is None:
            return None
        path = tuple(names[1:])
        if not path:
            return self._node(names[0], (), {"folder": True})
        entry = tree["find"](ctx, path)
        return None if entry is None else self._node(names[0], path, entry)

    def members(self, ctx: Context, node: Node) -> list[Node]:
        """Return what lies in a folder of a tree."""
        entry: Entry = node.row
        found = self._trees[entry.tree]["list"](ctx, entry.path)
        return [self._node(entry.tree, (*entry.path, str(each["name"])), each) for each in found]

    def read(self, ctx: Context, node: Node) -> bytes:
        """Return the bytes of a file of a tree."""
        return bytes(self._trees[node.row.tree]["read"](ctx, node.row.path))

    def write(self, ctx: Context, name: str, path: tuple[str, ...], source: Path, media: str) -> None:
        """Store a file of a tree; NotWritable where the plugin takes none."""
        write = self._trees[name].get("write")
        if write is None:
            raise NotWritable
        write(ctx, path, source, media)

    def delete(self, ctx: Context, node: Node) -> None:
        """Delete something in a tree; NotWritable where the plugin does not let."""
        delete = self._trees[node.row.tree].get("delete")
        if delete is None or not node.row.path:
            raise NotWritable
        delete(ctx, node.row.path)

    def _node(self, tree: str, path: tuple[str, ...], entry: Mapping[str, Any]) -> Node:
        row = Entry(
            tree, path, bool(entry.get("folder")), entry.get("size"), str(entry.get("media") or ""),
            entry.get("created"), entry.get("modified"), str(entry.get("etag") or "0"),
        )  # fmt: skip
        return Node("tree", (tree, *path)[-1], "/x/" + "/".join((tree, *path)), 0, row)


def trees_of(kernel: Kernel) -> Trees:
    """Return the trees in force; read once, and anew when a plugin was taken out."""
    return kernel.memo("webdav.trees", lambda: Trees(_collect(kernel)))


def _collect(kernel: Kernel) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for record in kernel.records:
        if not record.enabled:
            continue
        try:
            mine = [(record.name, tree) for tree in kernel.ask(record, "register_dav_trees") or ()]
            Trees([*found, *mine])
        except Exception:
            log.exception("the trees of %s are left out", record.name)
            kernel.note_fault(record)
        else:
            found += mine
    return found
