"""What other plugins may use of caldav."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .queries import entries_seen_by


def address_of(user_id: int, row: Any) -> str:
    """Return the address of an entry, below the server's own, as it lies in a user's home."""
    return f"/dav/user_{user_id}/{quote(row.path.partition('/')[2])}/{quote(row.href)}"


__all__ = ["address_of", "entries_seen_by"]
