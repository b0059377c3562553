"""Routes of bytes: upload, new bytes, downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed, ValidationFailed
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.uploads import Upload, UploadLimit
from atrio.plugins.spaces.api import SpaceNotFound

from .. import schemas, services
from ..config import ContentConfig
from ..errors import (
    ContentNotFound,
    ContentTypeNotAllowed,
    ContentTypeNotExist,
    FileTooLarge,
    NotEditable,
    RevisionMismatch,
)
from ..guards import FILE, one_revision
from ..types import FILE_LIKE, content_types
from .shared import BYTES_ERRORS, EXCEPT_NAMED, READ, WRITE, W, check_match, load_digest, template_of


def upload_limit(ctx: Context, call: Call) -> UploadLimit:
    """Refuse what is announced as too large before a byte is read, and bound the rest."""
    limit = ctx.config[ContentConfig].max_file_size
    announced = call.http.content_length or 0
    if limit and announced > limit + 65536:
        raise FileTooLarge
    return UploadLimit(limit, FileTooLarge)


def _received(call: Call) -> tuple[str, TemporaryBlob | None, str]:
    upload = call.upload if isinstance(call.upload, Upload) else Upload()
    return upload.filename.replace("\x00", ""), upload.blob, upload.media


def upload_file(ctx: Context, call: Call) -> int:
    """Create a file from a form; a kanban or logbook when the form says so."""
    slug = call.body["content_type"]
    if slug not in content_types(ctx.kernel):
        raise ContentTypeNotExist
    if slug not in FILE_LIKE:
        raise ValidationFailed({"content_type": ["Not created by an upload."]})
    name, blob, media = _received(call)
    return services.create_file(
        ctx, ctx.resources["space"], name=name, blob=blob, media=media,
        parent_id=call.body["parent_id"] or None, namespace=call.body["content_namespace"], slug=slug,
        template=template_of(ctx, call.body["template_id"]),
    )  # fmt: skip


def replace_file(ctx: Context, call: Call) -> None:
    """Give a file new bytes."""
    row = ctx.resources["content"]
    check_match(call, row)
    name, blob, media = _received(call)
    services.replace_bytes(ctx, ctx.resources["space"], row, name=name, blob=blob, media=media)


def download(ctx: Context, call: Call) -> Response:
    """Send the current bytes of a file."""
    row = ctx.resources["content"]
    return _send(ctx, call, row, row.stored_size, row.modified, row.filename)


def download_revision(ctx: Context, call: Call) -> Response:
    """Send the bytes of one revision."""
    row = one_revision(ctx, call)
    name = f"{row.label}_r{row.revision_id}{row.file_extension}"
    return _send(ctx, call, row, row.size, row.created, name)


def _send(ctx: Context, call: Call, row: Any, size: int | None, modified: int, default_name: str) -> Response:
    if row.digest is None or size is None:
        raise ContentNotFound
    given = call.path.get("filename", "")
    stored = StoredFile(
        source=ctx.kernel.blobs.source(row.digest), size=size, media=row.mimetype,
        name=default_name if given in ("", "raw") else given, digest=row.digest, modified=modified,
    )  # fmt: skip
    return user_bytes(call.http, stored, attachment=bool(call.query["force_download"]))


def _bytes(path: str, handler: Callable[..., Response], summary: str) -> Route:
    return Route(
        "GET", path, handler, (*READ, FILE), Answer(shape="bytes", doc="The bytes."),
        query=schemas.FileQuerySchema, errors=(ContentNotFound, RevisionMismatch), summary=summary,
        group="Contents > Files",
    )  # fmt: skip


ROUTES = (
    Route(
        "POST", f"{W}/files", upload_file, WRITE, Answer(schemas.digest), kind="stream",
        form=schemas.FileCreationSchema, stream=upload_limit, after=load_digest,
        errors=(
            *EXCEPT_NAMED, *BYTES_ERRORS, ContentTypeNotExist, ContentTypeNotAllowed, ContentNotFound,
            SpaceNotFound,
        ),
        summary="Upload a file", group="Contents > Files",
    ),
    Route(
        "PUT", f"{W}/files/{{content_id}}/raw/{{filename}}", replace_file, (*WRITE, FILE), EMPTY,
        kind="stream", stream=upload_limit, errors=(*BYTES_ERRORS, NotEditable, PreconditionFailed),
        summary="Give a file new bytes", group="Contents > Files",
    ),
    _bytes(f"{W}/files/{{content_id}}/raw/{{filename}}", download, "Bytes of a file"),
    _bytes(
        f"{W}/files/{{content_id}}/revisions/{{revision_id}}/raw/{{filename}}", download_revision,
        "Bytes of a revision",
    ),
)  # fmt: skip
