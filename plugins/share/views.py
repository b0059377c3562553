"""Shares as they are shown to those who manage them: their rows with the addresses of page and bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type


def page_url(ctx: Context, token: str) -> str:
    """Return the address of the page on which a guest finds the file."""
    return f"{base_url(ctx.config)}/ui/guest-download/{token}"


def bytes_url(ctx: Context, token: str, filename: str) -> str:
    """Return the address of the bytes."""
    return f"{base_url(ctx.config)}/api/public/guest-download/{token}/{quote(filename, safe='')}"


def with_urls(ctx: Context, rows: Iterable[Any]) -> list[Any]:
    """Return the rows of shares with `url` and `direct_url`."""
    rows = list(rows)
    if not rows:
        return []
    view = ctx.kernel.memo("share.view", lambda: row_type("ShareView", (*rows[0]._fields, "url", "direct_url")))
    return [
        view(*row, page_url(ctx, row.share_token), bytes_url(ctx, row.share_token, row.filename)) for row in rows
    ]
