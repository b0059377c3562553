"""Greetings as files on the drive of whom they are addressed to: `/Hello/12.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context

from . import queries

NAME = re.compile(r"([1-9][0-9]{0,17})\.txt")
MOST = 1000


def _entry(row: Any) -> Mapping[str, Any]:
    return {
        "name": f"{row.greeting_id}.txt", "size": len(row.text.encode()), "media": "text/plain",
        "created": row.created, "modified": row.created, "etag": f"g{row.greeting_id}",
    }  # fmt: skip


def members(ctx: Context, path: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """Return the greetings of whoever looks, newest first; there are no folders."""
    return [_entry(row) for row in queries.OF_USER.all(ctx, user_id=ctx.actor.id, limit=MOST)]


def find(ctx: Context, path: tuple[str, ...]) -> Mapping[str, Any] | None:
    """Return one greeting, None for a name that is none or for somebody else's."""
    row = _row(ctx, path)
    return None if row is None else _entry(row)


def read(ctx: Context, path: tuple[str, ...]) -> bytes:
    """Return the text of a greeting."""
    row = _row(ctx, path)
    return b"" if row is None else str(row.text).encode()


def _row(ctx: Context, path: tuple[str, ...]) -> Any | None:
    named = NAME.fullmatch(path[0]) if len(path) == 1 else None
    row = None if named is None else queries.ONE.first(ctx, greeting_id=int(named.group(1)))
    return row if row is not None and row.user_id == ctx.actor.id else None
