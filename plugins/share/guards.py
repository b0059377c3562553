"""Guards of share routes."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call
from atrio.plugins.core_content.api import ContentNotFound

from . import queries
from .errors import PublicDownloadDisabled, ShareNotFound

TOKEN_LENGTH = 64


def _enabled(ctx: Context, call: Call) -> None:
    if not ctx.resources["space"].public_download_enabled:
        raise PublicDownloadDisabled


DOWNLOAD_ENABLED = Guard("public download", _enabled, (PublicDownloadDisabled,))
"""The space of the path gives files to guests; comes after it."""


def _not_trashed(ctx: Context, call: Call) -> None:
    if ctx.resources["content"].is_deleted:
        raise ContentNotFound


NOT_TRASHED = Guard("content not in the trash", _not_trashed, (ContentNotFound,))
"""Nothing in the trash is given to guests; comes after the content."""


def _by_token(ctx: Context, call: Call) -> None:
    token = call.path.get("share_token", "")
    row = queries.BY_TOKEN.first(ctx, token=token) if len(token) <= TOKEN_LENGTH else None
    if row is None or row.is_deleted:
        raise ShareNotFound
    if not row.public_download_enabled:
        raise PublicDownloadDisabled
    if row.trashed_at is not None or row.hidden_by is not None or row.digest is None:
        raise ContentNotFound
    ctx.resources["share"] = row


SHARED = Guard("shared", _by_token, (ShareNotFound, PublicDownloadDisabled, ContentNotFound), public=True)
"""Loads what the token of the path gives; whoever has it is let in, whether signed in or not."""
