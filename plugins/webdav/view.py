"""The tree as one user sees it on his drive: names, and what they mean (spec: webdav, §2 and §3).

Spaces are folders named `<label>.space`; of several with one label at one level the oldest has the plain name
and the others carry their id, so that each can be reached. Everything here runs in short units of work of its
own, behind the same guards as the routes; no unit is open while bytes go over the wire.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from atrio.kernel.context import Actor, Context
from atrio.kernel.db.base import iso_utc
from atrio.kernel.errors import KernelError
from atrio.kernel.http.guards import check_all
from atrio.kernel.http.route import Call
from atrio.kernel.jobs import SECOND
from atrio.plugins.core_content import api as content
from atrio.plugins.spaces.api import LEVELS, READER, SpaceNotFound, find_space, joined_spaces

from . import queries
from .config import WebdavConfig
from .litter import is_litter
from .nodes import ROOT, Node
from .queries import Around
from .services import scratch
from .trees import Trees, trees_of

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

T = TypeVar("T")
SUFFIX = ".space"


class View:
    """What one user sees, for the length of one request."""

    def __init__(self, kernel: Kernel, actor: Actor, request_id: str = "") -> None:
        self.kernel = kernel
        self.actor = actor
        self.request_id = request_id
        self.settings = kernel.config[WebdavConfig]
        self.since = kernel.clock.now() - int(self.settings.safe_save_seconds * SECOND)
        """Names that the user took away after this moment (microseconds) are his to save under."""
        self._spaces: list[Any] | None = None
        self._roles: dict[int, int] = {}
        self._room: dict[int, tuple[int, int | None]] = {}
        self._found: dict[str, Node | None] = {}
        self._names: dict[str, str] = {}
        self._within: Context | None = None

    @contextmanager
    def within(self, ctx: Context) -> Iterator[None]:
        """Read in an open unit of the same user for the length of a block, instead of in units of its own."""
        self._within = ctx
        try:
            yield
        finally:
            self._within = None

    def _read(self, call: Callable[[Context], T]) -> T:
        if self._within is not None:
            return call(self._within)
        return self.kernel.run(call, writes=False, actor=self.actor, request_id=self.request_id)

    def is_litter(self, name: str, *, folder: bool = False) -> bool:
        """Tell whether what has this name is kept aside, and is no content."""
        return is_litter(name, self.settings.litter, folder=folder)

    @property
    def trees(self) -> Trees:
        """What other plugins show."""
        return trees_of(self.kernel)

    # -- finding ---------------------------------------------------------------------------------------------

    def find(self, path: str) -> Node | None:
        """Return what is at a path, None when the user sees nothing there."""
        clean = path.strip("/")
        if clean not in self._found:
            self._found[clean] = self._read(lambda ctx: self.walk(ctx, clean))
        return self._found[clean]

    def walk(self, ctx: Context, path: str) -> Node | None:
        """Return what is at a path without slashes around it."""
        names = path.split("/") if path else []
        node: Node | None = ROOT
        at = 0
        while node is not None and at < len(names) and node.kind in ("root", "space"):
            space = next((row for name, row in self._spaces_in(ctx, node) if name == names[at]), None)
            if space is None:
                break
            if not self._may_read(ctx, space):
                return None
            node, at = self._space(node, names[at], space), at + 1
        if at < len(names):
            node = None if node is None else self._below(ctx, node, names[at:])
        if node is not None:
            self._names[node.key] = "/" + path
        return node

    def _below(self, ctx: Context, node: Node, names: Sequence[str]) -> Node | None:
        """Follow names that are no spaces: contents, and among them what is kept aside."""
        if node.kind == "root":
            found = self.trees.find(ctx, names)
            return found if found is not None else self._aside(ctx, node, names)
        who = self.actor.id or 0
        walked = queries.walk(ctx, who, node.space_id, node.content_id, names, since=self.since)
        if walked is not None:
            *ids, row = walked
            key = "".join([node.key, *(f"/c{i}" for i in ids)])
            if row.hidden is not None and row.content_type == "file" and self.settings.safe_save_seconds:
                return None  # the user moved it aside a moment ago, so that its name is free for him
            return self._content(key, row)
        for at, name in enumerate(names):
            if self.is_litter(name) or self.is_litter(name, folder=True):
                parent = node if at == 0 else self._below(ctx, node, names[:at])
                return None if parent is None or not parent.is_folder else self._aside(ctx, parent, names[at:])
        return None

    def _aside(self, ctx: Context, parent: Node, names: Sequence[str]) -> Node | None:
        """Follow names into what is kept aside."""
        node = parent
        for name in names:
            row = scratch.find(ctx, node.place, name) if node.is_folder else None
            if row is None:
                return None
            node = self._scratch(node, row)
        return node

    def _may_read(self, ctx: Context, space: Any) -> bool:
        """Ask the right of readers on the way through a space, as the routes do: a policy may refuse it."""
        if space.space_id not in self._roles:
            ctx.resources["space"] = space
            try:
                check_all(ctx, Call(path={"workspace_id": str(space.space_id)}), (READER,))
            except KernelError:
                return False
            self._roles[space.space_id] = int(space.my_role or 0)
        return True

    @staticmethod
    def _content(parent_key: str, row: Any) -> Node:
        name = content.drive_name(row.label, row.file_extension)
        return Node("content", name, f"{parent_key}/c{row.content_id}", row.space_id, row)

    @staticmethod
    def _scratch(parent: Node, row: Any) -> Node:
        return Node("scratch", row.name, f"{parent.key}/t{row.scratch_id}", parent.space_id, row)

    @staticmethod
    def _space(parent: Node, name: str, row: Any) -> Node:
        return Node("space", name, f"{parent.key}/s{row.space_id}", row.space_id, row)

    def _subspaces(self, ctx: Context, parent: Node) -> list[Node]:
        if parent.kind not in ("root", "space"):
            return []
        return [self._space(parent, name, row) for name, row in self._spaces_in(ctx, parent)]

    def _spaces_in(self, ctx: Context, parent: Node) -> Iterator[tuple[str, Any]]:
        """Yield name and row of the spaces right below the root or a space, the oldest first."""
        if self._spaces is None:
            self._spaces = joined_spaces(ctx, self.actor.id or 0)
        mine = {space.space_id for space in self._spaces}
        wanted = parent.space_id or None
        taken: set[str] = set()
        for space in self._spaces:
            place = space.parent_id if space.parent_id in mine else None
            if place != wanted:
                continue
            name = content.drive_name(space.label, SUFFIX)
            if name in taken:
                name = content.drive_name(f"{space.label}~{space.space_id}", SUFFIX)
            taken.add(name)
            yield name, space

    # -- listing ---------------------------------------------------------------------------------------------

    def members(self, node: Node) -> list[Node]:
        """Return what lies in a folder: sub-spaces first; a content whose name a space has is hidden by it."""
        return self.listed(node)[0]

    def listed(self, node: Node) -> tuple[list[Node], Around]:
        """Return what lies in a folder, and what the drive knows of the folder and of each."""
        return self._read(lambda ctx: self.inside(ctx, node))

    def inside(self, ctx: Context, node: Node) -> tuple[list[Node], Around]:
        """Return what lies in a folder, and what the drive knows of the folder and of each: two statements."""
        if node.kind == "tree":
            return self.trees.members(ctx, node), Around()
        known = queries.around(ctx, self.actor.id or 0, node, since=self.since, inside=True)
        found = self._subspaces(ctx, node)
        if node.kind == "root":
            found += self.trees.tops({n.name for n in found})
        taken = {n.name for n in found}
        if node.kind in ("space", "content"):
            rows = content.drive_list(ctx, node.space_id, node.content_id)
            inside = [self._content(node.key, row) for row in rows if row.content_id not in known.hidden]
            inside = self._measured(ctx, node, inside)
            found += [n for n in inside if n.name not in taken]
            taken |= {n.name for n in inside}
        if known.scratches:
            found += [self._scratch(node, row) for row in known.scratches if row.name not in taken]
        return found, known

    @staticmethod
    def _measured(ctx: Context, folder: Node, nodes: list[Node]) -> list[Node]:
        """Make the threads in a folder, so that a listing can tell their length: one statement for all."""
        if not any(n.row.content_type == "thread" for n in nodes):
            return nodes
        said: dict[int, list[Any]] = {}
        for comment in queries.comments_in(ctx, folder.space_id, folder.content_id):
            said.setdefault(comment.parent_id, []).append(comment)
        return [
            replace(n, made=_measure(thread_html(said.get(n.row.content_id, ()))))
            if n.row.content_type == "thread" else n
            for n in nodes
        ]  # fmt: skip

    def measured(self, node: Node) -> Node:
        """Return a node that knows its length and ETag."""
        return (
            node if node.is_folder or node.size is not None else replace(node, made=_measure(self.text_of(node)))
        )

    def known(self, node: Node) -> Around:
        """Return what the drive knows of one node: its locks and properties."""
        if node.kind == "tree":
            return Around()
        who = self.actor.id or 0
        return self._read(lambda ctx: queries.around(ctx, who, node, since=self.since, inside=False))

    def path_of(self, key: str) -> str:
        """Return the path of a place by ids, as this user knows it; the key itself where he does not."""
        if key in self._names:
            return self._names[key]

        def read(ctx: Context) -> str:
            node, names = ROOT, []
            for part in key.strip("/").split("/") if key.strip("/") else ():
                found = next((n for n in self.inside(ctx, node)[0] if n.place == part), None)
                if found is None:
                    return key
                node = found
                names.append(node.name)
            return "/" + "/".join(names)

        self._names[key] = self._read(read)
        return self._names[key]

    def may_write(self, node: Node) -> bool:
        """Tell whether the user may change what is there: clients ask before they lock."""
        if node.kind == "scratch":
            return True
        return node.kind == "content" and self.may_save(node.space_id)

    def may_save(self, space_id: int) -> bool:
        """Tell whether the user may save in a space; asked once."""
        role = self._roles.get(space_id)
        if role is None:
            try:
                role = self._read(lambda ctx: int(find_space(ctx, space_id).my_role or 0))
            except SpaceNotFound:
                role = 0
            self._roles[space_id] = role
        return role >= LEVELS["contributor"]

    def room(self, node: Node) -> tuple[int, int | None] | None:
        """Return how many bytes the space of a folder holds and how many more it may; None outside of spaces."""
        if node.kind not in ("space", "content") or not node.is_folder:
            return None
        if node.space_id not in self._room:
            self._room[node.space_id] = self._read(lambda ctx: content.room(ctx, find_space(ctx, node.space_id)))
        return self._room[node.space_id]

    # -- bytes -----------------------------------------------------------------------------------------------

    def text_of(self, node: Node) -> bytes:
        """Return the bytes of what is no stored file: a note's HTML, a thread's comments, a new board."""

        def read(ctx: Context) -> bytes:
            if node.kind == "tree":
                return self.trees.read(ctx, node)
            row = content.get_content(ctx, node.space_id, int(node.row.content_id))
            if row.content_type == "thread":
                return thread_html(queries.comments(ctx, row.content_id))
            return str(row.raw_content or "").encode()

        return self._read(read)


def thread_etag(text: bytes) -> str:
    """Return the ETag of bytes that are made when they are read."""
    return "t" + sha256(text).hexdigest()[:32]


def _measure(text: bytes) -> tuple[int, str]:
    return len(text), thread_etag(text)


def thread_html(comments: Iterable[Any]) -> bytes:
    """Return the comments of a thread as nested quotes, the newest outermost, as mail does."""
    text = ""
    for comment in comments:
        head = f"<p>{iso_utc(comment.created)}, {html.escape(comment.author or '?')} wrote:</p>"
        text = f"<blockquote>{head}{comment.raw_content}{text}</blockquote>\n"
    return text.encode()
