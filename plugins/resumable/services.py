"""Writes of resumable."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.kernel.errors import BodyTooLarge, NoFileGiven, Unauthenticated, ValidationFailed
from atrio.kernel.http.route import Call
from atrio.plugins.accounts.api import lock_user
from atrio.plugins.core_content.api import (
    FILE,
    NAMESPACES,
    ContentTypeNotExist,
    NameTaken,
    SpaceFull,
    check_parent,
    content_types,
    create_file,
    drive_find,
    drive_name,
    largest_file,
    replace_bytes,
    room,
    split_name,
    usable,
)
from atrio.plugins.spaces.api import refuse_trashed

from . import queries
from .arrival import shelf_of
from .config import ResumableConfig
from .errors import TooManyUploads, UploadNotFound
from .models import UPLOAD
from .protocol import PARTIAL, id_of

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

HOUR = 3600 * 1_000_000
ORPHAN_HOURS = 24
LABEL = 1000
INSERT = insert(UPLOAD)
_ONE = UPLOAD.c.upload_id == bindparam("wanted", type_=Id)
UNFINISHED = (_ONE, UPLOAD.c.finished.is_(None))
PROLONG = update(UPLOAD).where(_ONE).values(expires=bindparam("until"))
FINISH = (
    update(UPLOAD)
    .where(*UNFINISHED)
    .values(finished=bindparam("moment"), content_id=bindparam("made"), expires=bindparam("until"))
)
DELETE = delete(UPLOAD).where(_ONE)


def new_token() -> str:
    """Return the name of a new upload: nobody guesses it, though only its owner may use it anyway."""
    return secrets.token_hex(16)


def until(ctx: Context) -> int:
    """Return when an upload that is touched now is removed, in microseconds."""
    return ctx.now + ctx.config[ResumableConfig].expire_hours * HOUR


def plan(
    ctx: Context, space: Any, length: int, given: Mapping[str, str], concat: str = "", *, joins: bool = False
) -> dict[str, Any]:
    """Return the columns of an upload that may be begun; refuses what could not be finished as things are.

    The errors are those of an ordinary upload, but 413 beyond the largest file and 403 beyond what one user may
    have open. Nothing is reserved: the end asks again. A part (`concat`) goes nowhere yet; what `joins` parts is
    counted with them already.
    """
    refuse_trashed(space)
    largest = largest_file(ctx.kernel)
    if largest and length > largest:
        raise BodyTooLarge(f"a file may have {largest} bytes")
    if not joins:
        _check_usage(ctx, length)
    _, left = room(ctx, space)
    if left is not None and length > left:
        raise SpaceFull
    values = {
        "space_id": space.space_id, "length": length, "media": given.get("filetype", "")[:255],
        "filename": given.get("filename", "").replace("\x00", ""), "target_id": id_of(given, "content_id"),
        "content_type": given.get("content_type") or "file", "parent_id": id_of(given, "parent_id"),
        "namespace": given.get("content_namespace") or "content", "concat": concat,
    }  # fmt: skip
    if concat == PARTIAL:
        return {**values, "filename": values["filename"][:LABEL], "content_type": "file", "namespace": "content"}
    if values["target_id"] is not None:
        _target(ctx, values["target_id"])
        if values["filename"] and not usable(values["filename"]):
            raise NoFileGiven
    else:
        _check_new(ctx, space, values)
    return values


def _check_usage(ctx: Context, length: int) -> None:
    settings = ctx.config[ResumableConfig]
    usage = queries.USAGE.first(ctx, owner_id=ctx.actor.id)
    number, size = (usage.number, int(usage.size)) if usage is not None else (0, 0)
    if number >= settings.open_uploads or (settings.open_bytes and size + length > settings.open_bytes):
        raise TooManyUploads


def _check_new(ctx: Context, space: Any, values: Mapping[str, Any]) -> None:
    kind = content_types(ctx.kernel).get(values["content_type"])
    if kind is None:
        raise ContentTypeNotExist
    if kind.route != "files":
        raise ValidationFailed({"content_type": ["Not created by an upload."]})
    if values["namespace"] not in NAMESPACES:
        raise ValidationFailed({"content_namespace": ["Not a valid choice."]})
    if not usable(values["filename"]):
        raise NoFileGiven
    check_parent(ctx, space.space_id, values["parent_id"], values["namespace"], kind)
    shown = drive_name(*split_name(values["filename"]))
    if values["namespace"] == "content" and drive_find(ctx, space.space_id, values["parent_id"], shown):
        raise NameTaken


def _target(ctx: Context, content_id: int) -> Any:
    FILE.check(ctx, Call(path={"content_id": str(content_id)}))
    return ctx.resources["content"]


def parts_of(ctx: Context, space: Any, tokens: Sequence[str]) -> list[Any]:
    """Return the rows of the caller's parts, in order; UploadNotFound for what is none."""
    found = {row.token: row for row in queries.OPEN.all(ctx, owner_id=ctx.actor.id or 0, space_id=space.space_id)}
    rows = [found.get(token) for token in tokens]
    if any(row is None or row.concat != PARTIAL for row in rows):
        raise UploadNotFound
    return rows


def begin(
    ctx: Context, space: Any, token: str, length: int, told: str, given: Mapping[str, str], concat: str,
    parts: Sequence[str] = (),
) -> Any:  # fmt: skip
    """Write the row of a new upload and return it; what it was joined of is forgotten."""
    if ctx.actor.id is None:
        raise Unauthenticated
    lock_user(ctx, ctx.actor.id)  # two at once are counted one after the other
    values = plan(ctx, space, length, given, concat, joins=bool(parts))
    for part in parts_of(ctx, space, parts):
        terminate(ctx, part)
    ctx.execute(INSERT, {
        **values, "token": token, "owner_id": ctx.actor.id, "told": told, "created": ctx.now,
        "expires": until(ctx), "finished": None, "content_id": None,
    })  # fmt: skip
    return queries.OWN.first(ctx, token=token, owner_id=ctx.actor.id, space_id=space.space_id)


def prolong(ctx: Context, row: Any) -> int:
    """Let an upload live on from now; returns until when, in microseconds. UploadNotFound when it is gone."""
    moment = until(ctx)
    changed: Any = ctx.execute(PROLONG, {"wanted": row.upload_id, "until": moment})
    if changed.rowcount != 1:
        raise UploadNotFound
    return moment


def finish(ctx: Context, space: Any, row: Any, blob: TemporaryBlob | None) -> int:
    """Make the content of an upload whose bytes are all there, as an ordinary upload does; returns its id.

    New bytes of a file where the upload names one. UploadNotFound when it was removed meanwhile.
    """
    if row.target_id is not None:
        target = _target(ctx, row.target_id)
        name = row.filename or target.label + target.file_extension
        replace_bytes(ctx, space, target, name=name, blob=blob, media=row.media)
        content_id = int(target.content_id)
    else:
        content_id = create_file(
            ctx, space, name=row.filename, blob=blob, media=row.media, parent_id=row.parent_id,
            namespace=row.namespace, slug=row.content_type,
        )  # fmt: skip
    done = {"wanted": row.upload_id, "moment": ctx.now, "made": content_id, "until": until(ctx)}
    changed: Any = ctx.execute(FINISH, done)
    if changed.rowcount != 1:
        raise UploadNotFound
    ctx.later(partial(_remove_unless_open, row.token))
    return content_id


def _remove_unless_open(token: str, kernel: Kernel) -> None:
    """Delete the file of an upload that needs it no more; a unit that was rolled back changed nothing."""
    query = select(UPLOAD.c.finished).where(UPLOAD.c.token == token)
    row = kernel.run(lambda ctx: ctx.execute(query).first(), writes=False)
    if row is None or row.finished is not None:
        shelf_of(kernel).remove(token)


def terminate(ctx: Context, row: Any) -> None:
    """Forget an upload and delete what came of it; a content that was made of it stays."""
    gone: Any = ctx.execute(DELETE, {"wanted": row.upload_id})
    if gone.rowcount != 1:
        raise UploadNotFound
    ctx.later(partial(_remove_unless_open, row.token))


def expire(ctx: Context) -> None:
    """Remove uploads whose time is over, and files that belong to none; where bytes still come is left alone."""
    shelf, wait, after = shelf_of(ctx.kernel), ctx.config[ResumableConfig].expire_hours * HOUR, 0
    while rows := queries.EXPIRED.all(ctx, now=ctx.now, after=after):
        after = rows[-1].upload_id
        for row in rows:
            living = shelf.touched(row.token) + wait
            if living > ctx.now:
                ctx.execute(PROLONG, {"wanted": row.upload_id, "until": living})
            else:
                ctx.execute(DELETE, {"wanted": row.upload_id})
                ctx.later(partial(_remove_unless_open, row.token))
    ctx.later(_sweep)


def _sweep(kernel: Kernel) -> None:
    """Delete old files of the folder that belong to no upload."""
    shelf, limit = shelf_of(kernel), kernel.clock.now() - ORPHAN_HOURS * HOUR
    old = [p for p in shelf.folder.iterdir() if shelf.touched(p.name) < limit]
    for start in range(0, len(old), 500):
        names = {p.name.partition(".")[0] for p in old[start : start + 500]}
        known = kernel.run(_known(names), writes=False)
        for path in old[start : start + 500]:
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)


def _known(names: set[str]) -> Callable[[Context], set[str]]:
    query = select(UPLOAD.c.token).where(UPLOAD.c.token.in_(names), UPLOAD.c.finished.is_(None))
    return lambda ctx: set(ctx.execute(query).scalars())
