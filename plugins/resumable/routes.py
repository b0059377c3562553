"""Routes of resumable uploads: tus 1.0, and two plain reads beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

from atrio.kernel.config import WebsiteConfig
from atrio.kernel.context import Context
from atrio.kernel.errors import BodyTooLarge, MethodNotAllowed, NoFileGiven, UnsupportedMediaType
from atrio.kernel.http.guards import PUBLIC, SIGNED_IN
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.core_content.api import (
    ContentNotFound,
    ContentTypeNotExist,
    FileTooLarge,
    NamespaceMismatch,
    NameTaken,
    NotEditable,
    OwnerFull,
    ParentNotFound,
    SpaceFull,
    UnallowedSubcontent,
    largest_file,
)
from atrio.plugins.spaces.api import CONTRIBUTOR, SPACE

from . import protocol, queries, schemas, services
from .arrival import Arrival, Joined, shelf_of
from .errors import BadUploadHeader, ChecksumMismatch, TooManyUploads, UploadLocked, UploadNotFound, WrongOffset
from .guards import OWN_UPLOAD, TUS

GROUP = "Workspaces > Resumable uploads"
ALL = "/api/workspaces/{workspace_id}/uploads"
ONE = f"{ALL}/{{upload_token}}"
WRITE = (TUS, SPACE, CONTRIBUTOR)
CORS = protocol.REQUEST_HEADERS


# -- what the server can -------------------------------------------------------------------------------------


def describe(ctx: Context, call: Call) -> Response:
    """Tell which version and extensions of tus the server speaks."""
    headers = [
        ("tus-resumable", protocol.VERSION), ("tus-version", protocol.VERSION),
        ("tus-extension", protocol.EXTENSIONS),
        ("tus-checksum-algorithm", ",".join(protocol.ALGORITHMS)),
        ("access-control-expose-headers", protocol.EXPOSED),
    ]  # fmt: skip
    largest = largest_file(ctx.kernel)
    if largest:
        headers.append(("tus-max-size", str(largest)))
    return Response(204, b"", headers)


# -- begin ---------------------------------------------------------------------------------------------------


def announce(ctx: Context, call: Call) -> Arrival:
    """Refuse at once what could not be finished; a first piece may come with the announcement."""
    concat, parts = protocol.concat(call.http)
    if parts:
        return _join(ctx, call, concat, parts)
    length = protocol.number(call.http, "Upload-Length")
    _, given = protocol.metadata(call.http)
    services.plan(ctx, ctx.resources["space"], length, given, concat)
    takes = call.http.media_type == protocol.OFFSET_STREAM
    if not takes and call.http.content_length:
        raise UnsupportedMediaType
    if takes and (call.http.content_length or 0) > length:
        raise BodyTooLarge(f"the upload was announced with {length} bytes")
    return Arrival(
        shelf_of(ctx.kernel), services.new_token(), length, fresh=True, takes=takes,
        checksum=protocol.checksum(call.http) if takes else None,
    )  # fmt: skip


def _join(ctx: Context, call: Call, concat: str, parts: list[str]) -> Arrival:
    rows = services.parts_of(ctx, ctx.resources["space"], parts)
    length = sum(row.length for row in rows)
    _, given = protocol.metadata(call.http)
    services.plan(ctx, ctx.resources["space"], length, given, concat, joins=True)
    shelf = shelf_of(ctx.kernel)
    if any(shelf.offset(row.token) != row.length for row in rows):
        raise WrongOffset("a part is not whole")
    return Joined(shelf, services.new_token(), length, parts)


def create(ctx: Context, call: Call) -> Response:
    """Begin an upload; one whose bytes are all there already is finished."""
    arrival: Arrival = call.upload
    told, given = protocol.metadata(call.http)
    concat, parts = protocol.concat(call.http)
    row = services.begin(ctx, ctx.resources["space"], arrival.token, arrival.length, told, given, concat, parts)
    headers = _headers(ctx, row, arrival)
    arrival.kept = True
    place = f"{ctx.config[WebsiteConfig].base_url.rstrip('/') or call.http.root_path}{_place(row)}"
    return Response(201, b"", [("location", place), *headers])


def _place(row: Any) -> str:
    return f"/api/workspaces/{row.space_id}/uploads/{row.token}"


# -- go on ---------------------------------------------------------------------------------------------------


def go_on(ctx: Context, call: Call) -> Arrival:
    """Refuse what does not follow the bytes that came; the file itself is asked when it is locked."""
    row, start = ctx.resources["upload"], protocol.number(call.http, "Upload-Offset")
    if call.http.media_type != protocol.OFFSET_STREAM:
        raise UnsupportedMediaType
    if row.finished is not None:
        raise WrongOffset(headers=[("upload-offset", str(row.length))])
    if start + (call.http.content_length or 0) > row.length:
        raise BodyTooLarge(f"the upload was announced with {row.length} bytes")
    return Arrival(
        shelf_of(ctx.kernel), row.token, row.length, start=start, checksum=protocol.checksum(call.http)
    )  # fmt: skip


def append(ctx: Context, call: Call) -> Response:
    """Bring bytes; the last ones make the content, whose id is in `Atrio-Content-Id`."""
    return Response(204, b"", _headers(ctx, ctx.resources["upload"], call.upload))


def look(ctx: Context, call: Call) -> Arrival | None:
    """Ask the file how far it is, with nobody writing to it; nothing to ask once the upload is finished."""
    row = ctx.resources["upload"]
    return None if row.finished is not None else Arrival(shelf_of(ctx.kernel), row.token, row.length, takes=False)


def stand(ctx: Context, call: Call) -> Response:
    """Tell how many bytes came. Where all came and the server died before it made the content, it is made now."""
    row = ctx.resources["upload"]
    headers = _headers(ctx, row, call.upload if isinstance(call.upload, Arrival) else None)
    headers.append(("upload-length", str(row.length)))
    if row.concat:
        headers.append(("upload-concat", row.concat))
    if row.told:
        headers.append(("upload-metadata", row.told))
    return Response(200, b"", headers)


def _headers(ctx: Context, row: Any, arrival: Arrival | None) -> list[tuple[str, str]]:
    """Return where an upload stands, having finished it when its bytes are all there."""
    if row.finished is not None:
        return [*protocol.state(offset=row.length, expires=row.expires), *_made(row.space_id, row.content_id)]
    assert arrival is not None
    made: list[tuple[str, str]] = []
    if arrival.complete and row.concat != protocol.PARTIAL:
        made = _made(row.space_id, services.finish(ctx, ctx.resources["space"], row, arrival.blob))
        expires = services.until(ctx)
    else:
        expires = row.expires if arrival.fresh or not arrival.takes else services.prolong(ctx, row)
    return [*protocol.state(offset=arrival.offset, expires=expires), *made]


def _made(space_id: int, content_id: int | None) -> list[tuple[str, str]]:
    if content_id is None:
        return []
    place = f"/api/workspaces/{space_id}/contents/{content_id}"
    return [("atrio-content-id", str(content_id)), ("content-location", place)]


OVERRIDE = "x-http-method-override"


def instead(ctx: Context, call: Call) -> Arrival | None:
    """Look at a POST that stands for a PATCH, for clients that cannot send one; nothing comes with a DELETE."""
    verb = call.http.headers.get(OVERRIDE)
    if verb not in ("PATCH", "DELETE"):
        raise MethodNotAllowed(headers=[("allow", "DELETE, GET, HEAD, OPTIONS, PATCH")])
    return go_on(ctx, call) if verb == "PATCH" else None


def override(ctx: Context, call: Call) -> Response:
    """Do what the header `X-HTTP-Method-Override` says: PATCH or DELETE."""
    return append(ctx, call) if isinstance(call.upload, Arrival) else terminate(ctx, call)


# -- end, and plain reads -------------------------------------------------------------------------------------


def terminate(ctx: Context, call: Call) -> Response:
    """Give an upload up."""
    services.terminate(ctx, ctx.resources["upload"])
    return Response(204)


class UploadView(NamedTuple):
    """An upload as the wire shows it."""

    upload_token: str
    workspace_id: int
    filename: str
    content_type: str
    content_namespace: str
    parent_id: int | None
    length: int
    offset: int
    created: int
    expires: int
    is_finished: bool
    content_id: int | None
    url: str


def _view(ctx: Context, row: Any) -> UploadView:
    finished = row.finished is not None
    offset = row.length if finished else shelf_of(ctx.kernel).offset(row.token) or 0
    return UploadView(
        row.token, row.space_id, row.filename, row.content_type, row.namespace, row.parent_id, row.length, offset,
        row.created, row.expires, finished, row.content_id if finished else row.target_id,
        _place(row),
    )  # fmt: skip


def list_open(ctx: Context, call: Call) -> list[UploadView]:
    """Return what the caller has begun in a space and not finished, oldest first."""
    space_id = ctx.resources["space"].space_id
    return [_view(ctx, row) for row in queries.OPEN.all(ctx, owner_id=ctx.actor.id or 0, space_id=space_id)]


def show(ctx: Context, call: Call) -> UploadView:
    """Return one of the caller's uploads, without waiting for whoever writes to it."""
    return _view(ctx, ctx.resources["upload"])


FINISH_ERRORS = (
    NoFileGiven, ContentTypeNotExist, ParentNotFound, UnallowedSubcontent, NamespaceMismatch, NameTaken,
    ContentNotFound, NotEditable, FileTooLarge, SpaceFull, OwnerFull,
)  # fmt: skip
BODY_ERRORS = (BodyTooLarge, UnsupportedMediaType, BadUploadHeader, ChecksumMismatch)
ROUTES = (
    Route(
        "OPTIONS", ALL, describe, (PUBLIC,), EMPTY, summary="What the server can of tus", group=GROUP,
    ),
    Route(
        "POST", ALL, create, WRITE, Answer(shape="empty", status=201, doc="`Location` is the upload."),
        kind="stream", stream=announce, media=protocol.OFFSET_STREAM, cors=CORS,
        errors=(*BODY_ERRORS, *FINISH_ERRORS, TooManyUploads, UploadNotFound, WrongOffset),
        summary="Begin an upload", group=GROUP,
    ),
    Route(
        "GET", ALL, list_open, (SPACE, CONTRIBUTOR), Answer(schemas.upload, "list"),
        summary="Own unfinished uploads", group=GROUP,
    ),
    Route(
        "OPTIONS", ONE, describe, (PUBLIC,), EMPTY, summary="What the server can of tus", group=GROUP,
    ),
    Route(
        "HEAD", ONE, stand, (*WRITE, OWN_UPLOAD), Answer(shape="empty", status=200), kind="stream", stream=look,
        media="", cors=CORS, writes=True, errors=(UploadLocked, *FINISH_ERRORS), summary="How much came",
        group=GROUP,
    ),
    Route(
        "PATCH", ONE, append, (*WRITE, OWN_UPLOAD), EMPTY, kind="stream", stream=go_on,
        media=protocol.OFFSET_STREAM, cors=CORS, errors=(*BODY_ERRORS, *FINISH_ERRORS, WrongOffset, UploadLocked),
        summary="Bring bytes of an upload", group=GROUP,
    ),
    Route(
        "POST", ONE, override, (*WRITE, OWN_UPLOAD), EMPTY, kind="stream", stream=instead,
        media=protocol.OFFSET_STREAM, cors=CORS,
        errors=(*BODY_ERRORS, *FINISH_ERRORS, WrongOffset, UploadLocked, MethodNotAllowed),
        summary="PATCH or DELETE by another name", group=GROUP,
    ),
    Route(
        "DELETE", ONE, terminate, (TUS, SIGNED_IN, OWN_UPLOAD), EMPTY, cors=CORS, summary="Give an upload up",
        group=GROUP,
    ),
    Route(
        "GET", ONE, show, (SIGNED_IN, OWN_UPLOAD), Answer(schemas.upload), errors=(UploadNotFound,),
        summary="One own upload", group=GROUP,
    ),
)  # fmt: skip
