"""PUT without the protocol library: asked before the body comes where it is long, and stored in a second unit.

What would be refused is refused before a byte is on the disk; the unit that writes judges again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from atrio.kernel.errors import BadRequestBody, BodyTooLarge, KernelError
from atrio.kernel.http.response import Response
from atrio.plugins.core_content.api import largest_file

from .conditions import Unclear, holds
from .errors import status_of
from .propfind import SAFE
from .services import locks

if TYPE_CHECKING:
    from atrio.kernel.blobs import TemporaryBlob
    from atrio.kernel.context import Context
    from atrio.kernel.http.request import Request

    from .drive import Drive
    from .nodes import Node
    from .services.locks import Lock

SHORT = 64 * 1024
"""Bytes of a body that may be held in memory."""


def target(ctx: Context, drive: Drive, request: Request) -> tuple[Node, str] | Response | None:
    """Return the file that a PUT replaces, or the folder and the new name; None for what the library refuses.

    A lock is refused here: clients that wait for one ask again and again.
    """
    path = request.path.removeprefix(request.root_path)
    if path.endswith("/"):
        return None
    place, _, name = path.rpartition("/")
    try:
        node = drive.find(path)
        found = node if node is not None else drive.find(place)
        if found is None or (node is None) != found.is_folder or found.kind == "tree":
            return None
        if not holds(ctx, drive, request, node):
            return None
        drive.refuse_save(found, None if node is not None else name)
        who = str(drive.actor.id)
        against = locks.locks_against(ctx, found.key or "/", principal=who, tokens=drive.tokens)
        if against:
            return _locked(drive, request, against)
        return found, "" if node is not None else name
    except (KernelError, Unclear):
        return None


def _locked(drive: Drive, request: Request, against: list[Lock]) -> Response:
    """Return the refusal that names the roots of the locks in the way (RFC 4918 §16)."""
    roots = "".join(
        f"<D:href>{quote(request.root_path + drive.path_of(lock.path), safe=SAFE)}</D:href>" for lock in against
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<D:error xmlns:D="DAV:"><D:no-conflicting-lock>{roots}</D:no-conflicting-lock></D:error>\n'
    )
    return Response(423, text.encode(), [], "application/xml; charset=utf-8")


def store(request: Request, drive: Drive, target: tuple[Node, str], blob: TemporaryBlob) -> Response:
    """Save a received body and return the answer, with the ETag of what is there now."""
    node, name = target
    media = request.headers.get("content-type", "")
    try:
        etag = drive.put_new(node, name, blob, media) if name else drive.put(node, blob, media)
        if etag is None:
            saved = drive.find(request.path.removeprefix(request.root_path))
            etag = None if saved is None else saved.etag
    except KernelError as error:
        status = status_of(error)
        return Response(status, f"{status}: {error.in_words()}\n".encode(), list(error.headers), "text/plain")
    return Response(201 if name else 204, b"", [] if etag is None else [("etag", f'"{etag}"')])


def save_short(request: Request, drive: Drive, found: tuple[Node, str], body: bytes) -> Response:
    """Save a body that is all there, after `target` found where; no unit is open while it goes to the disk."""
    limit, announced = largest_file(drive.kernel), request.content_length
    if limit and len(body) > limit:
        raise BodyTooLarge
    if announced is not None and announced != len(body):
        raise BadRequestBody(f"announced {announced} bytes, {len(body)} came")
    blob = drive.kernel.blobs.begin(hold=SHORT)
    try:
        blob.write(body)
        return store(request, drive, found, blob)
    finally:
        if blob.present:
            blob.discard()
