"""Guards of the routes of resumable uploads."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call

from . import queries
from .errors import UnknownTusVersion, UploadNotFound
from .protocol import EXPOSED, VERSION

TOKEN_LENGTH = 32


def _speaks(ctx: Context, call: Call) -> None:
    ctx.answer_headers += [("tus-resumable", VERSION), ("access-control-expose-headers", EXPOSED)]
    if call.http.headers.get("tus-resumable") != VERSION:
        raise UnknownTusVersion(headers=[("tus-version", VERSION)])


TUS = Guard("tus 1.0.0", _speaks, (UnknownTusVersion,))
"""The request says that it speaks this version of the protocol, and so do all answers."""


def _own(ctx: Context, call: Call) -> None:
    token = call.path.get("upload_token", "")
    space = call.path.get("workspace_id", "")
    row = None
    if len(token) == TOKEN_LENGTH and space.isascii() and space.isdigit() and len(space) <= 18:
        row = queries.OWN.first(ctx, token=token, owner_id=ctx.actor.id or 0, space_id=int(space))
    if row is None:
        raise UploadNotFound
    ctx.resources["upload"] = row


OWN_UPLOAD = Guard("own upload", _own, (UploadNotFound,))
"""Loads the upload of the path, for whoever began it; nobody else learns that it exists."""
