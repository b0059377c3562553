"""The writes of a user on his drive: each is one unit behind the guards of the routes that looks at locks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Actor, Context
from atrio.kernel.errors import KernelError
from atrio.plugins.core_content import api as content
from atrio.plugins.core_content.events import ContentEvent
from atrio.plugins.spaces.api import CONTENT_MANAGER, CONTRIBUTOR, READER, SPACE, InsufficientUserRole

from .errors import TAKEN, Changed, FixedName, Locked, NotWritable, SpacesStay, TextTooLarge
from .models import Absence
from .nodes import Folder, Node
from .services import absent, locks, saves, scratch
from .services.saves import Source
from .view import View

if TYPE_CHECKING:
    from atrio.kernel.events import Event
    from atrio.kernel.host import Kernel

T = TypeVar("T")


def _etag(content_id: int, events: list[Event]) -> str | None:
    """Return the ETag of a content after a unit, from what the unit told; None where it told nothing."""
    told = (e for e in reversed(events) if isinstance(e, ContentEvent) and e.content_id == content_id)
    last = next(told, None)
    return None if last is None else f"r{last.revision_id}"


class Drive(View):
    """The drive of one user for the length of one request.

    `tokens` are the lock tokens that the request submits. Where it is `conditional`, what it writes must still be
    as it was found: the conditions were judged before the body came.
    """

    def __init__(self, kernel: Kernel, actor: Actor, request_id: str = "") -> None:
        super().__init__(kernel, actor, request_id)
        self.tokens: frozenset[str] = frozenset()
        self.conditional = False

    def _write(
        self, call: Callable[[Context], T], guards: tuple[Any, ...], *, space_id: int = 0,
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

        assert self._within is None, "a unit in a unit of the same thread waits for itself"
        path = {"workspace_id": str(space_id), "content_id": str(content_id or "")}
        self._found.clear()
        return self.kernel.run(
            guarded, actor=self.actor, request_id=self.request_id, guards=guards, path=path,
            raw_body={"new_workspace_id": to_space},
        )  # fmt: skip

    # -- saving ----------------------------------------------------------------------------------------------

    def refuse_save(self, node: Node, name: str | None) -> None:
        """Raise what a save would be refused with, before its bytes are sent: of a thing, or under a new name."""
        if node.kind == "root":
            if name is None or not self.is_litter(name):
                raise SpacesStay
        elif node.kind in ("space", "content") or (node.kind == "scratch" and node.space_id):
            if name is None and node.kind == "content" and node.row.content_type == "thread":
                raise NotWritable
            if not self.may_save(node.space_id):
                raise InsufficientUserRole

    def put_new(self, parent: Node, name: str, blob: TemporaryBlob, media: str) -> str | None:
        """Save a file under a name where there is none; returns its ETag, None where that takes a look."""
        self._usable(name)
        if parent.kind == "tree":
            self._put_into_tree(parent, (*parent.row.path, name), blob, media)
        elif parent.kind == "scratch" or self.is_litter(name):
            self._keep(parent, name, blob, media)
        elif parent.kind == "root":
            raise SpacesStay
        else:
            return self._create(parent, name, blob, media)
        return None

    def _create(self, parent: Node, name: str, blob: TemporaryBlob, media: str) -> str | None:
        source = Source(blob, media)
        self.kernel.blobs.upload(blob)

        def act(ctx: Context) -> tuple[int, list[Event]]:
            made = saves.save(ctx, ctx.resources["space"], Folder.of(parent), name, source, self.since)
            return made, ctx.events

        try:
            return _etag(
                *self._write(act, (SPACE, CONTRIBUTOR), space_id=parent.space_id, keys=[(parent.key, False)])
            )
        except KernelError as error:  # somebody else was faster
            if error.code != TAKEN:
                raise
            if self.conditional:
                raise Changed from None
            found = self._read(lambda ctx: self._below(ctx, parent, [name]))
            if found is None or found.is_folder:
                raise
            if found.row.content_type == "html-document" and not blob.present:
                raise  # a text is read from where the bytes no longer are
            return self.put(found, blob, media)

    def is_locked(self, key: str) -> bool:
        """Tell whether a write here takes a token that the request does not submit."""
        who = str(self.actor.id)
        return bool(
            self._read(lambda ctx: locks.locks_against(ctx, key or "/", principal=who, tokens=self.tokens))
        )

    def put(self, node: Node, blob: TemporaryBlob, media: str) -> str | None:
        """Give a file new bytes, or a note a new text; returns its ETag, None where that takes a look."""
        if node.kind == "tree":
            self._put_into_tree(node, node.row.path, blob, media)
            return None
        if node.kind == "scratch":
            self._keep(node, node.name, blob, media)
            return None
        kind = node.row.content_type
        if kind == "thread":
            raise NotWritable
        if kind == "html-document" and blob.size > content.TEXT_LIMIT:
            raise TextTooLarge  # before it is read: an upload may be larger than memory
        if kind != "html-document":
            self.kernel.blobs.upload(blob)

        def act(ctx: Context) -> tuple[int, list[Event]]:
            row, space = ctx.resources["content"], ctx.resources["space"]
            if self.conditional and row.current_revision_id != node.row.current_revision_id:
                raise Changed
            saves.give(ctx, space, row, Source(blob, media))
            return int(row.content_id), ctx.events

        return _etag(
            *self._write(
                act, (SPACE, CONTRIBUTOR, content.CONTENT_GUARD), space_id=node.space_id,
                content_id=node.content_id, keys=[(node.key, False)],
            )
        )  # fmt: skip

    def _put_into_tree(self, node: Node, path: tuple[str, ...], blob: TemporaryBlob, media: str) -> None:
        blob.land(fsync=self.kernel.blobs.fsync)
        self._write(lambda ctx: self.trees.write(ctx, node.row.tree, path, blob.path, media), ())

    def _keep(self, node: Node, name: str, blob: TemporaryBlob | None, media: str) -> int:
        """Keep something aside: in a folder, or (`node` is a file kept aside) in place of it."""
        replaced = node.kind == "scratch" and not node.is_folder
        parent = absent.place_of(node) if replaced else node.place
        if blob is not None:
            self.kernel.blobs.upload(blob)
        return self._write(
            lambda ctx: scratch.keep(
                ctx, parent, name, blob, media, limit=self.settings.litter_bytes,
                largest=content.largest_file(self.kernel),
            ),
            self._aside_guards(node), space_id=node.space_id, keys=[(node.key, False)],
        )  # fmt: skip

    @staticmethod
    def _aside_guards(node: Node) -> tuple[Any, ...]:
        """Keeping something aside in a space takes the role that saves there; at the top nothing."""
        return (SPACE, CONTRIBUTOR) if node.space_id else ()

    def make_folder(self, parent: Node, name: str) -> None:
        """Create a folder."""
        self._usable(name)
        if parent.kind == "tree":
            raise NotWritable
        if parent.kind == "scratch" or self.is_litter(name, folder=True):
            self._keep(parent, name, None, "")
            return
        if parent.kind == "root":
            raise SpacesStay
        self._write(
            lambda ctx: saves.make_folder(ctx, ctx.resources["space"], parent.content_id, name),
            (SPACE, CONTENT_MANAGER), space_id=parent.space_id, keys=[(parent.key, False)],
        )  # fmt: skip

    # -- deleting --------------------------------------------------------------------------------------------

    def delete(self, node: Node) -> None:
        """Put a content into the trash, with everything below it; drop what is kept aside."""
        keys = [(node.key, True), (node.key.rpartition("/")[0], False)]
        if node.kind == "tree":
            self._write(lambda ctx: self.trees.delete(ctx, node), ())
        elif node.kind == "scratch":
            self._write(lambda ctx: scratch.drop(ctx, node.row.scratch_id), (), keys=keys)
        elif node.kind != "content":
            raise SpacesStay
        else:
            self._write(
                lambda ctx: saves.take_away(ctx, node, ctx.resources["content"]),
                (SPACE, CONTENT_MANAGER, content.CONTENT_GUARD), space_id=node.space_id,
                content_id=node.content_id, keys=keys,
            )  # fmt: skip

    # -- moving and copying ----------------------------------------------------------------------------------

    def move(self, node: Node, parent: Node, name: str, over: Node | None) -> None:
        """Rename something, or move it to another folder or space.

        A file that arrives where a file is gives that one its bytes, as does one that arrives at a name that the
        user took away a moment ago. What else has the name goes to the trash.
        """
        self._usable(name)
        if node.kind in ("root", "space") or "tree" in (node.kind, parent.kind):
            raise SpacesStay
        if self._goes_aside(node, parent, name, over):
            self._set_aside(node, parent, name, moved=True)
        elif node.kind == "scratch":
            self._arrive(node, parent, name, over, moved=True)
        elif parent.kind in ("root", "scratch"):
            raise SpacesStay
        else:
            self._move_content(node, parent, name, over)

    def _move_content(self, node: Node, parent: Node, name: str, over: Node | None) -> None:
        label, extension = self._named(node, name)
        here = (node.space_id, node.row.parent_id) == (parent.space_id, parent.content_id)

        def act(ctx: Context) -> None:
            row, space = ctx.resources["content"], ctx.resources["space" if here else "destination"]
            if saves.merged(ctx, space, node, row, Folder.of(parent), name, over, self.since, copied=False):
                return
            self._may_replace(ctx, over)
            saves.make_room(ctx, parent.space_id, over)
            if here:
                content.rename(ctx, row, label, extension)
            else:
                content.move(ctx, row, space, parent.content_id, (label, extension))
            absent.note(ctx, node, Absence.MOVED)

        role = (CONTRIBUTOR,) if here else (CONTENT_MANAGER, content.DESTINATION)
        self._write(
            act, (SPACE, *role, content.CONTENT_GUARD), space_id=node.space_id, content_id=node.content_id,
            to_space=parent.space_id,
            keys=[(node.key, True), (node.key.rpartition("/")[0], False), *self._touched(parent, over)],
        )  # fmt: skip

    @staticmethod
    def _may_replace(ctx: Context, over: Node | None) -> None:
        """Ask for the role that deletes, where a move in place puts something else into the trash."""
        if over is not None:
            ctx.kernel.rights.check(ctx, "spaces.content-manager", ctx.resources["space"])

    def copy(self, node: Node, parent: Node, name: str, over: Node | None, *, deep: bool) -> None:
        """Copy something with everything below it; arrives as `move` does."""
        self._usable(name)
        if node.kind in ("root", "space") or "tree" in (node.kind, parent.kind):
            raise SpacesStay
        if self._goes_aside(node, parent, name, over):
            self._set_aside(node, parent, name, moved=False)
            return
        if node.kind == "scratch":
            self._arrive(node, parent, name, over, moved=False)
            return
        if parent.kind in ("root", "scratch"):
            raise SpacesStay
        label, extension = self._named(node, name)

        def act(ctx: Context) -> None:
            row, space = ctx.resources["content"], ctx.resources["destination"]
            if saves.merged(ctx, space, node, row, Folder.of(parent), name, over, self.since, copied=True):
                return
            saves.make_room(ctx, parent.space_id, over)
            made = content.copy_content(ctx, row, space, parent.content_id, label, extension, deep=deep)
            saves.copy_marks(ctx, row.content_id, made, parent.space_id, deep=deep and node.is_folder)

        self._write(
            act, (SPACE, READER, content.DESTINATION, content.CONTENT_GUARD), space_id=node.space_id,
            content_id=node.content_id, to_space=parent.space_id, keys=self._touched(parent, over),
        )  # fmt: skip

    def _goes_aside(self, node: Node, parent: Node, name: str, over: Node | None) -> bool:
        """Tell whether a move or copy ends among what is kept aside: where helper files lie, or by its name."""
        if over is not None and over.kind != "scratch":
            return False
        here = node.space_id == parent.space_id and self.settings.safe_save_seconds > 0
        if node.kind == "content" and (node.row.digest is None or not here):
            return False
        return parent.kind == "scratch" or self.is_litter(name, folder=node.is_folder)

    def _set_aside(self, node: Node, parent: Node, name: str, *, moved: bool) -> None:
        """Keep something under a helper's name. A content stays where it is, unseen by the user for a moment."""

        def act(ctx: Context) -> None:
            if node.kind == "scratch" and moved:
                scratch.rename(ctx, node.row.scratch_id, parent.place, name)
                return
            source = saves.bytes_of(node.row if node.kind == "scratch" else ctx.resources["content"])
            scratch.keep(ctx, parent.place, name, source, "", limit=self.settings.litter_bytes)
            if moved:
                absent.note(ctx, node, Absence.HIDDEN)

        if node.kind == "scratch" and node.is_folder and not moved:
            raise NotWritable
        guards: tuple[Any, ...] = self._aside_guards(parent)
        if node.kind == "content":
            guards = (SPACE, CONTRIBUTOR, content.CONTENT_GUARD)
        keys = [(node.key, True)] if moved else []
        self._write(
            act, guards, space_id=parent.space_id, content_id=node.content_id, keys=[*keys, (parent.key, False)]
        )  # fmt: skip

    def _arrive(self, node: Node, parent: Node, name: str, over: Node | None, *, moved: bool) -> None:
        """Let what was kept aside become a content: a save like any other."""
        if parent.kind not in ("space", "content"):
            raise SpacesStay

        def act(ctx: Context) -> None:
            saves.settle(ctx, ctx.resources["space"], node, Folder.of(parent), name, over, self.since)
            if moved:
                scratch.drop(ctx, node.row.scratch_id)

        role = CONTENT_MANAGER if node.is_folder or (over is not None and over.is_folder) else CONTRIBUTOR
        self._write(
            act, (SPACE, role), space_id=parent.space_id,
            keys=[*([(node.key, True)] if moved else []), *self._touched(parent, over)],
        )  # fmt: skip

    @staticmethod
    def _touched(parent: Node, over: Node | None) -> list[tuple[str, bool]]:
        """Return the places that change where something arrives: what it replaces, or its new folder."""
        return [(over.key, True)] if over is not None else [(parent.key, False)]

    # -- names -----------------------------------------------------------------------------------------------

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
