"""Sync-tokens: a collection's id and the number of its last change (RFC 6578 §3)."""

from __future__ import annotations

from .holdings import Holding

TOKEN = "data:,"  # noqa: S105 - a sync-token is no secret


def token(holding: Holding) -> str:
    """Return the token of what a collection is now."""
    return f"{TOKEN}{holding.version}"


def since(holding: Holding, given: str) -> int | None:
    """Return the change that a token stands for; None without one. ValueError for what was no token of this."""
    if not given:
        return None
    number, dash, seq = given.removeprefix(TOKEN).partition("-")
    digits = number + seq
    if not given.startswith(TOKEN) or not dash or not (digits.isascii() and digits.isdigit()) or len(given) > 60:
        raise ValueError("no token of ours")
    row = holding.row
    if int(number or 0) == 0 and int(seq or 0) == 0 and not holding.place.added:
        found = 0  # from before the first write
    elif row is None or int(number or 0) != row.collection_id:
        raise ValueError("the token of another collection")
    else:
        found = int(seq or 0)
    if row is not None and not row.floor <= found <= row.seq:
        raise ValueError("the token is too old, or never was")
    return found
