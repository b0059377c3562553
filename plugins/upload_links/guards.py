"""Guards of the routes of upload links."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call

from . import queries
from .errors import PublicUploadDisabled, UploadLinkNotFound

TOKEN_LENGTH = 64


def _enabled(ctx: Context, call: Call) -> None:
    if not ctx.resources["space"].public_upload_enabled:
        raise PublicUploadDisabled


UPLOAD_ENABLED = Guard("public upload", _enabled, (PublicUploadDisabled,))
"""The space of the path takes files from guests; comes after it."""


def _by_token(ctx: Context, call: Call) -> None:
    token = call.path.get("upload_permission_token", "")
    row = queries.BY_TOKEN.first(ctx, token=token) if len(token) <= TOKEN_LENGTH else None
    if row is None or row.is_deleted:
        raise UploadLinkNotFound
    if not row.public_upload_enabled:
        raise PublicUploadDisabled
    ctx.resources["link"] = row


LINKED = Guard("upload link", _by_token, (UploadLinkNotFound, PublicUploadDisabled), public=True)
"""Loads the link of the token in the path; whoever has it is let in, whether signed in or not."""
