"""Avatars and covers."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from atrio.kernel.context import Context
from atrio.kernel.errors import BodyTooLarge, NoFileGiven
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.uploads import Upload, UploadLimit

from .. import queries, schemas, services
from ..adapters import pictures
from ..api import KNOWS_USER
from ..config import AccountsConfig
from ..errors import MimetypeNotAllowed, UserImageNotFound
from .shared import PERSONAL, U


def send_raw(kind: str) -> Callable[[Context, Call], Response]:
    """Return the handler that sends a picture as it is stored."""

    def send(ctx: Context, call: Call) -> Response:
        """Send the picture; a user without an avatar has his initials."""
        user = ctx.resources["user"]
        row = queries.PICTURE.first(ctx, user_id=user.user_id, kind=kind)
        if row is not None:
            source = ctx.kernel.blobs.source(row.digest)
            return _answer(
                call, StoredFile(source, row.size, "image/png", _name(call, kind), row.digest, row.modified)
            )
        if kind == "cover":
            raise UserImageNotFound
        drawn = pictures.default_svg(user.user_id, user.public_name)
        return _answer(call, _drawn(call, kind, drawn, "image/svg+xml", user.created))

    return send


def send_preview(kind: str) -> Callable[[Context, Call], Response]:
    """Return the handler that sends a picture as a JPEG of the size in the path."""

    def send(ctx: Context, call: Call) -> Response:
        """Send the picture as a JPEG that fits the size."""
        user = ctx.resources["user"]
        width, height = pictures.DEFAULT_SIZE[kind]
        size = pictures.bounded(int(call.path.get("width", width)), int(call.path.get("height", height)))
        row = queries.PICTURE.first(ctx, user_id=user.user_id, kind=kind)
        if row is not None:
            with ctx.released():
                jpeg = pictures.preview(ctx.kernel.blobs, row.digest, size)
            return _answer(call, _drawn(call, kind, jpeg, "image/jpeg", row.modified))
        if kind == "cover":
            raise UserImageNotFound
        jpeg = pictures.default_jpeg(user.user_id, user.public_name, size)
        return _answer(call, _drawn(call, kind, jpeg, "image/jpeg", user.created))

    return send


def _name(call: Call, kind: str) -> str:
    return call.path.get("filename") or kind


def _drawn(call: Call, kind: str, data: bytes, media: str, modified: int) -> StoredFile:
    return StoredFile(None, len(data), media, _name(call, kind), sha256(data).hexdigest(), modified, data)


def _answer(call: Call, stored: StoredFile) -> Response:
    return user_bytes(call.http, stored, attachment=bool(call.query["force_download"]))


def picture_limit(ctx: Context, call: Call) -> UploadLimit:
    """Refuse what is announced as too large before a byte is read, and bound the rest."""
    limit = ctx.config[AccountsConfig].picture_max_bytes
    if (call.http.content_length or 0) > limit + 65536:
        raise BodyTooLarge(f"a picture has at most {limit} bytes")
    return UploadLimit(limit, kept=False)


def replace(kind: str) -> Callable[[Context, Call], None]:
    """Return the handler that takes a new picture."""

    def take(ctx: Context, call: Call) -> None:
        """Take a picture, cut it to its shape, store it as PNG; decoded while no transaction is open."""
        upload = call.upload if isinstance(call.upload, Upload) else Upload()
        if upload.blob is None:
            raise NoFileGiven
        user_id = ctx.resources["user"].user_id
        with ctx.released():
            most = ctx.config[AccountsConfig].picture_max_pixels
            png = pictures.as_png(upload.blob.path, kind, declared=upload.media, max_pixels=most)
        blob = ctx.kernel.blobs.begin()
        try:
            blob.write(png)
            blob.checked = True  # made here, of what was looked at when it came
            with ctx.released():
                ctx.kernel.blobs.upload(blob)
            services.set_picture(ctx, user_id, kind, blob)
        finally:
            blob.discard()

    return take


def _routes(kind: str, word: str) -> tuple[Route, ...]:
    missing = (UserImageNotFound,) if kind == "cover" else ()
    get = {
        "guards": (KNOWS_USER,), "query": schemas.PictureQuerySchema, "errors": missing, "group": "Users"
    }  # fmt: skip
    jpeg = Answer(shape="bytes", media="image/jpeg", doc="The picture.")
    raw, preview = f"{U}/{kind}/raw/{{filename}}", f"{U}/{kind}/preview/jpg"
    sized = f"{preview}/{{width:int}}x{{height:int}}/{{filename}}"
    return (
        Route("GET", raw, send_raw(kind), answer=Answer(shape="bytes", doc="The picture."), summary=word, **get),  # type: ignore[arg-type]
        Route("GET", f"{preview}/{{filename}}", send_preview(kind), answer=jpeg, summary=f"{word} as JPEG", **get),  # type: ignore[arg-type]
        Route("GET", sized, send_preview(kind), answer=jpeg, summary=f"{word} as JPEG of a size", **get),  # type: ignore[arg-type]
        Route(
            "PUT", raw, replace(kind), PERSONAL, EMPTY, kind="stream", stream=picture_limit,
            errors=(NoFileGiven, MimetypeNotAllowed, BodyTooLarge), summary=f"Set the {kind}", group="Users",
        ),
    )  # fmt: skip


ROUTES = (*_routes("avatar", "Avatar"), *_routes("cover", "Cover"))
