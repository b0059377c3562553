"""Writes of upload_links."""

from __future__ import annotations

import datetime
import html
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from atrio.kernel.context import Actor, Context
from atrio.kernel.db.base import Id
from atrio.kernel.errors import NoFileGiven, RetryWork, Unauthenticated
from atrio.kernel.http.uploads import ReceivedFile
from atrio.plugins.accounts.api import get_user, hash_guest_password, new_token, shown_address
from atrio.plugins.core_content.api import (
    CONTENT,
    NameTaken,
    add_comment,
    content_types,
    create_content,
    get_content,
    name_key,
    split_name,
    usable,
)
from atrio.plugins.spaces.api import find_space

from . import queries
from .errors import UploadLinkNotFound
from .events import GuestUploaded, UploadLinkDisabled, UploadLinksCreated
from .models import LINK

NAMESPACE = "upload"
VIA = "upload link"
INSERT = insert(LINK)
DISABLE = (
    update(LINK)
    .where(
        LINK.c.link_id == bindparam("wanted", type_=Id), LINK.c.space_id == bindparam("of_space", type_=Id),
        LINK.c.disabled.is_(None),
    )
    .values(disabled=bindparam("moment"))
)  # fmt: skip
FOLDER = select(CONTENT.c.content_id).where(
    CONTENT.c.space_id == bindparam("space_id"), CONTENT.c.parent_key == 0, CONTENT.c.namespace == NAMESPACE,
    CONTENT.c.name_key == bindparam("key"), CONTENT.c.type == "folder",
)  # fmt: skip
NAMES = select(CONTENT.c.name_key).where(CONTENT.c.parent_id == bindparam("folder_id", type_=Id))


def make_links(ctx: Context, space: Any, invited: Sequence[tuple[str, str]], password: str | None) -> str:
    """Let some (name, address) put files into a space, one link each, and return the id of the group."""
    user_id = ctx.actor.id
    if user_id is None:
        raise Unauthenticated
    hashed = hash_guest_password(ctx, password)
    if hashed is not None:
        find_space(ctx, space.space_id)  # the transaction was given up meanwhile
    group = new_token()
    common = {
        "space_id": space.space_id, "author_id": user_id, "group_uuid": group, "password_hash": hashed,
        "created": ctx.now, "disabled": None,
    }  # fmt: skip
    ctx.execute(
        INSERT,
        [{**common, "token": new_token(), "email": shown_address(name, address)} for name, address in invited],
    )
    made = queries.OF_GROUP.all(ctx, space_id=space.space_id, group_uuid=group)
    ids = tuple(row.upload_permission_id for row in made)
    ctx.emit(UploadLinksCreated(space.space_id, user_id, group, ids))
    return group


def disable_link(ctx: Context, space: Any, link_id: int) -> None:
    """End an upload link of a space; its row stays. UploadLinkNotFound when there is none, or it was ended."""
    ended: Any = ctx.execute(DISABLE, {"wanted": link_id, "of_space": space.space_id, "moment": ctx.now})
    if ended.rowcount != 1:
        raise UploadLinkNotFound
    ctx.emit(UploadLinkDisabled(link_id, space.space_id))


def store_files(ctx: Context, link: Any, guest: str, message: str, files: Sequence[ReceivedFile]) -> None:
    """Put what a guest sent into a folder of its own, each file with a comment, in the name of the link's author.

    Quotas are those of the space (6002, 6003, 6004); 2005 without a file that has a name. A name that comes
    twice gets a number.
    """
    named = [(file, _plain(file.filename)) for file in files]
    if not named or not all(usable(name) for _, name in named):
        raise NoFileGiven
    author = get_user(ctx, link.author_id)
    ctx.actor = Actor(link.author_id, "guest", author, VIA)
    folder_id = _folder(ctx, link, guest)
    taken = set(ctx.execute(NAMES, {"folder_id": folder_id}).scalars())
    kind = content_types(ctx.kernel)["file"]
    words = _words(guest, message)
    made: list[int] = []
    for file, name in named:
        label, extension = next(_free(name, taken))
        taken.add(name_key(label, extension))
        content_id = create_content(
            ctx, link, kind=kind, label=label, extension=extension, parent_id=folder_id, namespace=NAMESPACE,
            blob=file.blob, media=file.media,
        )  # fmt: skip
        add_comment(ctx, get_content(ctx, link.space_id, content_id), words)
        made.append(content_id)
    ctx.emit(
        GuestUploaded(link.link_id, link.space_id, link.author_id, guest, folder_id, tuple(made))
    )  # fmt: skip


def _plain(text: str) -> str:
    """Return a text of a guest on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _folder(ctx: Context, link: Any, guest: str) -> int:
    """Return the folder of this guest and second at the root of the space; one of that label may be there."""
    label = folder_label(_plain(guest), ctx.now)
    found = ctx.execute(FOLDER, {"space_id": link.space_id, "key": name_key(label, "")}).scalar()
    if found is not None:
        return int(found)
    kind = content_types(ctx.kernel)["folder"]
    try:
        return create_content(ctx, link, kind=kind, label=label, parent_id=None, namespace=NAMESPACE)
    except NameTaken:
        raise RetryWork from None  # another upload made it at this moment


def folder_label(guest: str, moment: int) -> str:
    """Return the label of the folder of an upload, in English and UTC, as clients of the wire know it."""
    at = datetime.datetime.fromtimestamp(moment // 1_000_000, datetime.UTC)
    hour = at.hour % 12 or 12
    day = f"{at:%b} {at.day}, {at.year}"
    return f"Files uploaded by {guest} on {day} at {hour}:{at:%M:%S} {'PM' if at.hour >= 12 else 'AM'}"


def _free(name: str, taken: set[Any]) -> Iterator[tuple[str, str]]:
    label, extension = split_name(name)
    number = 1
    while True:
        shown = label if number == 1 else f"{label} ({number})"
        if name_key(shown, extension) not in taken:
            yield shown, extension
        number += 1


def _words(guest: str, message: str) -> str:
    who = html.escape(_plain(guest))
    return f"Message from {who}: {message}" if message.strip() else f"Uploaded by {who}."
