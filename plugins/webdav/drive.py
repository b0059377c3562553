"""The tree as one user sees it on his drive: names, what they mean, and what may be done (spec: webdav, §2–4).

Spaces are folders named `<label>.space`; of several with one label at one level the oldest has the plain name
and the others carry their id, so that each can be reached. Everything here runs in short units of work of its
own, behind the same guards as the routes; no unit is open while bytes go over the wire.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Actor, Context
from atrio.kernel.db.base import iso_utc
from atrio.kernel.errors import KernelError
from atrio.kernel.http.guards import check_all
from atrio.kernel.http.route import Call
from atrio.plugins.core_content import api as content
from atrio.plugins.spaces.api import (
    CONTENT_MANAGER,
    CONTRIBUTOR,
    LEVELS,
    READER,
    SPACE,
    SpaceNotFound,
    find_space,
    joined_spaces,
)

from . import queries
from .errors import Changed, FixedName, Locked, NotWritable, SpacesStay, TextTooLarge
from .services import locks

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

T = TypeVar("T")
SUFFIX = ".space"


@dataclass(frozen=True)
class Node:
    """One thing on the drive. `key` is its place by ids, the same whoever looks: locks hang on it."""

    kind: str
    name: str
    key: str
    space_id: int = 0
    row: Any = None

    @property
    def is_folder(self) -> bool:
        """True for what has members."""
        return self.kind != "content" or self.row.content_type == "folder"

    @property
    def content_id(self) -> int | None:
        """The id of a content, None for spaces and the root."""
        return int(self.row.content_id) if self.kind == "content" else None


ROOT = Node("root", "", "")


class Drive:
    """The drive of one user for the length of one request.

    `tokens` are the lock tokens that the request submits. Where it is `conditional`, what it writes must still be
    as it was found: the conditions were judged before the body came.
    """

    def __init__(self, kernel: Kernel, actor: Actor, request_id: str = "") -> None:
        self.kernel = kernel
        self.actor = actor
        self.request_id = request_id
        self.tokens: frozenset[str] = frozenset()
        self.conditional = False
        self._spaces: list[Any] | None = None
        self._found: dict[str, Node | None] = {}
        self._names: dict[str, str] = {}

    def _read(self, call: Callable[[Context], T]) -> T:
        return self.kernel.run(call, writes=False, actor=self.actor, request_id=self.request_id)

    def _write(
        self, call: Callable[[Context], T], guards: tuple[Any, ...], *, space_id: int,
        content_id: int | None = None, to_space: int | None = None, keys: Iterable[tuple[str, bool]] = (),
    ) -> T:  # fmt: skip
        """Run a writing unit behind guards; `keys` are the places it changes, whose locks it looks at itself.

        The protocol library looks at them too, before the body arrives; a lock may be granted since then.
        """

        def guarded(ctx: Context) -> T:
            locks.hold_still(ctx)
            for key, deep in keys:
                mine = str(self.actor.id)
                if locks.locks_against(ctx, key or "/", principal=mine, tokens=self.tokens, deep=deep):
                    raise Locked
            return call(ctx)

        path = {"workspace_id": str(space_id), "content_id": str(content_id or "")}
        self._found.clear()
        return self.kernel.run(
            guarded, actor=self.actor, request_id=self.request_id, guards=guards, path=path,
            raw_body={"new_workspace_id": to_space},
        )  # fmt: skip

    # -- finding ---------------------------------------------------------------------------------------------

    def find(self, path: str) -> Node | None:
        """Return what is at a path, None when the user sees nothing there."""
        clean = path.strip("/")
        if clean not in self._found:
            self._found[clean] = self._read(lambda ctx: self._walk(ctx, clean))
        return self._found[clean]

    def _walk(self, ctx: Context, path: str) -> Node | None:
        node: Node | None = ROOT
        for name in path.split("/") if path else ():
            if node is None or not node.is_folder:
                return None
            node = self._child(ctx, node, name)
            if node is not None and node.kind == "space" and not self._may_read(ctx, node.space_id):
                return None
        if node is not None:
            self._names[node.key] = "/" + path
        return node

    @staticmethod
    def _may_read(ctx: Context, space_id: int) -> bool:
        """Ask the right of readers on the way through a space, as the routes do: a policy may refuse it."""
        try:
            check_all(ctx, Call(path={"workspace_id": str(space_id)}), (SPACE, READER))
        except KernelError:
            return False
        return True

    def _child(self, ctx: Context, parent: Node, name: str) -> Node | None:
        for space in self._subspaces(ctx, parent):
            if space.name == name:
                return space
        if parent.kind == "root":
            return None
        row = content.drive_find(ctx, parent.space_id, parent.content_id, name)
        return None if row is None else self._content(parent, row)

    def _content(self, parent: Node, row: Any) -> Node:
        name = content.drive_name(row.label, row.file_extension)
        return Node("content", name, f"{parent.key}/c{row.content_id}", row.space_id, row)

    def _subspaces(self, ctx: Context, parent: Node) -> list[Node]:
        if parent.kind == "content":
            return []
        if self._spaces is None:
            self._spaces = joined_spaces(ctx, self.actor.id or 0)
        mine = {space.space_id for space in self._spaces}
        wanted = parent.space_id or None
        found: list[Node] = []
        taken: set[str] = set()
        for space in self._spaces:
            place = space.parent_id if space.parent_id in mine else None
            if place != wanted:
                continue
            name = content.drive_name(space.label, SUFFIX)
            if name in taken:
                name = content.drive_name(f"{space.label}~{space.space_id}", SUFFIX)
            taken.add(name)
            found.append(Node("space", name, f"{parent.key}/s{space.space_id}", space.space_id, space))
        return found

    def members(self, node: Node) -> list[Node]:
        """Return what lies in a folder: sub-spaces first; a content whose name a space has is hidden by it."""

        def read(ctx: Context) -> list[Node]:
            found = self._subspaces(ctx, node)
            if node.kind != "root":
                taken = {space.name for space in found}
                rows = content.drive_list(ctx, node.space_id, node.content_id)
                found += [n for n in (self._content(node, row) for row in rows) if n.name not in taken]
            return found

        return self._read(read)

    def path_of(self, key: str) -> str:
        """Return the path of a place by ids, as this user knows it; the key itself where he does not."""
        if key in self._names:
            return self._names[key]

        def read(ctx: Context) -> str:
            node, names = ROOT, []
            for part in key.strip("/").split("/") if key.strip("/") else ():
                inside = [*self._subspaces(ctx, node)]
                if node.kind != "root":
                    rows = content.drive_list(ctx, node.space_id, node.content_id)
                    inside += [self._content(node, row) for row in rows]
                found = next((n for n in inside if n.key.rpartition("/")[2] == part), None)
                if found is None:
                    return key
                node = found
                names.append(node.name)
            return "/" + "/".join(names)

        self._names[key] = self._read(read)
        return self._names[key]

    def may_write(self, node: Node) -> bool:
        """Tell whether the user may change what is there: clients ask before they lock."""

        def read(ctx: Context) -> bool:
            return int(find_space(ctx, node.space_id).my_role or 0) >= LEVELS["contributor"]

        try:
            return node.kind == "content" and self._read(read)
        except SpaceNotFound:
            return False

    # -- bytes -----------------------------------------------------------------------------------------------

    def text_of(self, node: Node) -> bytes:
        """Return the bytes of what is no stored file: a note's HTML, a thread's comments, a new board."""

        def read(ctx: Context) -> bytes:
            row = content.get_content(ctx, node.space_id, int(node.row.content_id))
            if row.content_type == "thread":
                return self._thread(queries.comments(ctx, row.content_id))
            return str(row.raw_content or "").encode()

        return self._read(read)

    def _thread(self, comments: Iterable[Any]) -> bytes:
        """Write the comments of a thread as nested quotes, the newest outermost, as mail does."""
        text = ""
        for comment in comments:
            head = f"<p>{iso_utc(comment.created)}, {html.escape(comment.author or '?')} wrote:</p>"
            text = f"<blockquote>{head}{comment.raw_content}{text}</blockquote>\n"
        return text.encode()

    # -- writing ---------------------------------------------------------------------------------------------

    def put_new(self, parent: Node, name: str, blob: TemporaryBlob, media: str) -> int:
        """Create a file."""
        if parent.kind == "root":
            raise SpacesStay

        def act(ctx: Context) -> int:
            return content.create_file(
                ctx, ctx.resources["space"], name=name, blob=blob, media=media, parent_id=parent.content_id,
                namespace="content",
            )  # fmt: skip

        return self._write(act, (SPACE, CONTRIBUTOR), space_id=parent.space_id, keys=[(parent.key, False)])

    def put(self, node: Node, blob: TemporaryBlob, media: str) -> None:
        """Give a file new bytes, or a note a new text."""
        kind = node.row.content_type
        if kind == "thread":
            raise NotWritable
        if kind == "html-document" and blob.size > content.TEXT_LIMIT:
            raise TextTooLarge  # before it is read: an upload may be larger than memory
        guards = (SPACE, CONTRIBUTOR, content.CONTENT_GUARD)

        def act(ctx: Context) -> None:
            row, space = ctx.resources["content"], ctx.resources["space"]
            if self.conditional and row.current_revision_id != node.row.current_revision_id:
                raise Changed
            if kind == "html-document":
                text = blob.path.read_bytes().decode("utf-8", "replace")
                if text != row.raw_content:
                    content.update_content(ctx, row, {"raw_content": text})
                return
            name = row.label + row.file_extension
            content.replace_bytes(ctx, space, row, name=name, blob=blob, media=media)

        self._write(
            act, guards, space_id=node.space_id, content_id=node.content_id, keys=[(node.key, False)]
        )  # fmt: skip

    def make_folder(self, parent: Node, name: str) -> int:
        """Create a folder."""
        if parent.kind == "root":
            raise SpacesStay
        self._usable(name)

        def act(ctx: Context) -> int:
            kind = content.content_types(ctx.kernel)["folder"]
            return content.create_content(
                ctx, ctx.resources["space"], kind=kind, label=name, parent_id=parent.content_id,
                namespace="content",
            )  # fmt: skip

        return self._write(act, (SPACE, CONTENT_MANAGER), space_id=parent.space_id, keys=[(parent.key, False)])

    def delete(self, node: Node) -> None:
        """Put a content into the trash, with everything below it."""
        if node.kind != "content":
            raise SpacesStay
        guards = (SPACE, CONTENT_MANAGER, content.CONTENT_GUARD)
        self._write(
            lambda ctx: content.trash(ctx, ctx.resources["content"]), guards, space_id=node.space_id,
            content_id=node.content_id, keys=[(node.key, True), (node.key.rpartition("/")[0], False)],
        )  # fmt: skip

    def move(self, node: Node, parent: Node, name: str, over: Node | None) -> None:
        """Rename a content, or move it to another folder or space; what has the name there goes to the trash."""
        if node.kind != "content" or parent.kind == "root":
            raise SpacesStay
        label, extension = self._named(node, name)
        here = (node.space_id, node.row.parent_id) == (parent.space_id, parent.content_id)

        def act(ctx: Context) -> None:
            row = ctx.resources["content"]
            self._make_room(ctx, parent.space_id, over)
            if here:
                content.rename(ctx, row, label, extension)
            else:
                content.move(ctx, row, ctx.resources["destination"], parent.content_id, (label, extension))

        role = (CONTRIBUTOR,) if here and over is None else (CONTENT_MANAGER, content.DESTINATION)
        self._write(
            act, (SPACE, *role, content.CONTENT_GUARD), space_id=node.space_id, content_id=node.content_id,
            to_space=parent.space_id,
            keys=[(node.key, True), (node.key.rpartition("/")[0], False), *self._touched(parent, over)],
        )  # fmt: skip

    def copy(self, node: Node, parent: Node, name: str, over: Node | None, *, deep: bool) -> None:
        """Copy a content with everything below it; what has the name there goes to the trash."""
        if node.kind != "content" or parent.kind == "root":
            raise SpacesStay
        label, extension = self._named(node, name)

        def act(ctx: Context) -> None:
            self._make_room(ctx, parent.space_id, over)
            content.copy_content(
                ctx, ctx.resources["content"], ctx.resources["destination"], parent.content_id, label,
                extension, deep=deep,
            )  # fmt: skip

        guards = (SPACE, READER, content.DESTINATION, content.CONTENT_GUARD)
        self._write(
            act, guards, space_id=node.space_id, content_id=node.content_id, to_space=parent.space_id,
            keys=self._touched(parent, over),
        )  # fmt: skip

    @staticmethod
    def _touched(parent: Node, over: Node | None) -> list[tuple[str, bool]]:
        """Return the places that change where something arrives: what it replaces, or its new folder."""
        return [(over.key, True)] if over is not None else [(parent.key, False)]

    def _make_room(self, ctx: Context, space_id: int, over: Node | None) -> None:
        if over is None:
            return
        if over.kind != "content":
            raise SpacesStay
        content.trash(ctx, content.get_content(ctx, space_id, int(over.row.content_id)))

    def _usable(self, name: str) -> None:
        if not content.usable(name):
            raise FixedName

    def _named(self, node: Node, name: str) -> tuple[str, str]:
        """Return label and extension of a content under a new name; the types with a fixed ending keep it."""
        self._usable(name)
        kind = node.row.content_type
        if kind == "folder":
            return name, ""
        if kind == "file":
            return content.split_name(name)
        extension = str(node.row.file_extension)
        if not name.endswith(extension) or name == extension:
            raise FixedName
        return name.removesuffix(extension), extension
