"""Saves on the drive, and what they mean: a new content, a revision of one, or one that comes back.

Every function takes the Context of a unit that writes, behind the guards of whoever calls.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, insert, literal, select

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.plugins.core_content import api as content
from atrio.plugins.core_content.api import StoredBytes
from atrio.plugins.spaces.api import LEVELS

from ..errors import SpacesStay, TextTooLarge
from ..models import PROPERTY, Absence
from ..nodes import Folder, Node
from . import absent, scratch
from .absent import Back
from .properties import PropertyRefused, change_properties, copy_properties, properties_of


@dataclass(frozen=True)
class Source:
    """Bytes that are saved, with the media type that the client named."""

    blob: TemporaryBlob | StoredBytes
    media: str = ""


def bytes_of(row: Any) -> StoredBytes:
    """Return the stored bytes of a content's row, or of a row kept aside."""
    return StoredBytes(row.digest, int(getattr(row, "stored_size", row.size) or 0), row.mimetype)


def save(ctx: Context, space: Any, folder: Folder, name: str, source: Source, since: int) -> int:
    """Save bytes under a name where there is none now, and return the content's id.

    A name that the actor took away since `since` (microseconds) brings its content back; any other is a new file.
    """
    back = absent.comes_back(ctx, space, folder, name, since)
    if back is not None:
        return bring_back(ctx, space, back, folder, name, source)
    return content.create_file(
        ctx, space, name=name, blob=source.blob, media=source.media, parent_id=folder.content_id,
        namespace="content",
    )  # fmt: skip


def bring_back(ctx: Context, space: Any, back: Back, folder: Folder, name: str, source: Source) -> int:
    """Give a content that was away its name and new bytes: one `undeleted` at most, and one `modified`.

    What was moved leaves a copy with the old bytes where it is now.
    """
    row = back.row
    if back.kind is Absence.TRASHED:
        content.restore(ctx, row)
        row = content.get_content(ctx, folder.space_id, row.content_id)
    old = row if back.kind is Absence.MOVED else None
    if old is not None and row.parent_id != folder.content_id:
        content.move(ctx, row, space, folder.content_id, _name(row, name))
        row = content.get_content(ctx, folder.space_id, row.content_id)
    give(ctx, space, row, source, name)
    if old is not None:
        content.copy_content(ctx, old, space, old.parent_id, old.label, old.file_extension, deep=False)
    absent.forget(ctx, folder.place, name)
    return int(row.content_id)


def _name(row: Any, name: str) -> tuple[str, str]:
    """Return label and extension of a content under a name; types with a fixed ending keep it."""
    fixed = str(row.file_extension)
    return content.split_name(name) if row.content_type == "file" else (name.removesuffix(fixed), fixed)


def give(ctx: Context, space: Any, row: Any, source: Source, name: str | None = None) -> None:
    """Give a file new bytes, or a note a new text, and with them its name, where one is given: one revision.

    A note that has text and name already stays as it is.
    """
    if row.content_type != "html-document":
        name = row.label + row.file_extension if name is None else name
        content.replace_bytes(ctx, space, row, name=name, blob=source.blob, media=source.media)
        return
    if source.blob.size > content.TEXT_LIMIT:
        raise TextTooLarge
    stored = isinstance(source.blob, StoredBytes)
    with ctx.kernel.blobs.open(source.blob.digest) if stored else source.blob.path.open("rb") as file:  # type: ignore[union-attr]
        text = file.read().decode("utf-8", "replace")
    label = row.label if name is None else _name(row, name)[0]
    if (text, label) != (row.raw_content, row.label):
        content.update_content(ctx, row, {"raw_content": text, "label": label})


def make_folder(ctx: Context, space: Any, parent_id: int | None, name: str) -> int:
    """Create a folder and return its id."""
    kind = content.content_types(ctx.kernel)["folder"]
    return content.create_content(ctx, space, kind=kind, label=name, parent_id=parent_id, namespace="content")


def take_away(ctx: Context, node: Node, row: Any) -> None:
    """Put a content into the trash and remember its name."""
    content.trash(ctx, row)
    absent.note(ctx, node, Absence.TRASHED)


def make_room(ctx: Context, space_id: int, over: Node | None) -> None:
    """Put what has a name into the trash, or drop it where it is kept aside."""
    if over is None:
        return
    if over.kind == "scratch":
        scratch.drop(ctx, over.row.scratch_id)
        return
    if over.kind != "content":
        raise SpacesStay
    content.trash(ctx, content.get_content(ctx, space_id, int(over.row.content_id)))


def merged(
    ctx: Context, space: Any, node: Node, row: Any, folder: Folder, name: str, over: Node | None, since: int, *,
    copied: bool,
) -> bool:  # fmt: skip
    """Let a file that arrives at the name of another become its next revision; False where it does not.

    The other is the file that has the name (`over`), or one that the actor took away from it a moment ago. What
    was moved goes to the trash, which takes the role for it, or that it is the actor's own and just begun.
    """
    if row.content_type != "file" or row.digest is None:
        return False
    if not copied and not _may_leave(ctx, row, since):
        return False
    source = Source(bytes_of(row))
    if over is not None:
        if over.kind != "content" or over.row.content_type != "file":
            return False
        content.lock_content(ctx, folder.space_id, int(over.row.content_id))
        target = content.get_content(ctx, folder.space_id, int(over.row.content_id))
        give(ctx, space, target, source)
    else:
        back = absent.comes_back(ctx, space, folder, name, since)
        if back is None or back.row.content_type != "file" or back.row.content_id == row.content_id:
            return False
        target = back.row
        bring_back(ctx, space, back, folder, name, source)
    _add_properties(ctx, f"content:{row.content_id}", f"content:{target.content_id}")
    if not copied:
        take_away(ctx, node, row)
    return True


def _may_leave(ctx: Context, row: Any, since: int) -> bool:
    if int(ctx.resources["space"].my_role or 0) >= LEVELS["content-manager"]:
        return True
    fresh = row.version_number == 1 and row.created >= since
    return bool(fresh and row.author__user_id == ctx.actor.id)


def settle(
    ctx: Context, space: Any, node: Node, folder: Folder, name: str, over: Node | None, since: int
) -> None:  # fmt: skip
    """Let what is kept aside become a content of a space; the row that keeps it aside stays."""
    if node.is_folder:
        make_room(ctx, folder.space_id, over)
        made = make_folder(ctx, space, folder.content_id, name)
        below = Folder(folder.space_id, made, f"c{made}")
        for row in scratch.inside(ctx, node.row.scratch_id):
            child = Node("scratch", row.name, f"{node.key}/t{row.scratch_id}", node.space_id, row)
            settle(ctx, space, child, below, row.name, None, since)
        return
    source = Source(bytes_of(node.row), node.row.mimetype)
    if over is not None and over.kind == "content" and over.row.content_type in absent.WRITABLE:
        content.lock_content(ctx, folder.space_id, int(over.row.content_id))
        give(ctx, space, content.get_content(ctx, folder.space_id, int(over.row.content_id)), source)
        return
    make_room(ctx, folder.space_id, over)
    save(ctx, space, folder, name, source, since)


def copy_marks(ctx: Context, source_id: int, target_id: int, space_id: int, *, deep: bool) -> None:
    """Give a copy the dead properties of the original, with `deep` those of everything below it too."""
    if not deep:
        copy_properties(ctx, {f"content:{source_id}": f"content:{target_id}"})
        return
    if ctx.execute(select(PROPERTY.c.resource).limit(1)).first() is None:
        return
    pairs = content.twins(source_id, target_id, space_id)
    rows = select(
        literal("content:") + cast(pairs.c.new, String(20)), PROPERTY.c.name_key, PROPERTY.c.name, PROPERTY.c.value
    ).select_from(pairs.join(PROPERTY, PROPERTY.c.resource == literal("content:") + cast(pairs.c.old, String(20))))
    ctx.execute(insert(PROPERTY).from_select(["resource", "name_key", "name", "value"], rows))


def _add_properties(ctx: Context, source: str, target: str) -> None:
    found = properties_of(ctx, [source]).get(source)
    if found:
        with suppress(PropertyRefused):  # the bytes matter more than marks for which there is no room
            change_properties(ctx, target, found)
