"""Upload links as they are shown to those who manage them: their rows with the address of their page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type


def page_url(ctx: Context, token: str) -> str:
    """Return the address of the page on which a guest leaves files."""
    return f"{base_url(ctx.config)}/ui/guest-upload/{token}"


def with_urls(ctx: Context, rows: Iterable[Any]) -> list[Any]:
    """Return the rows of links with `url`."""
    rows = list(rows)
    if not rows:
        return []
    view = ctx.kernel.memo("upload_links.view", lambda: row_type("LinkView", (*rows[0]._fields, "url")))
    return [view(*row, page_url(ctx, row.token)) for row in rows]
