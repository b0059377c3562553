"""Entries of calendars and address books by their words."""

from __future__ import annotations

from typing import Any, NamedTuple

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.db.base import iso_second, iso_utc
from atrio.kernel.text import fold

from . import queries
from .api import address_of

WORDS = 32
"""Words of a search that count."""
FIRST, LAST = -62_135_596_800, 253_402_300_799
"""The years 1 and 9999; what goes on for ever ends later."""
KINDS = {"VEVENT": "event", "VTODO": "todo", "VJOURNAL": "journal", "VCARD": "contact"}


class Entry(NamedTuple):
    """An entry as a search shows it; `start` and `end` enclose all its times, null where there is none."""

    kind: str
    uid: str
    summary: str
    description: str
    location: str
    start: str | None
    end: str | None
    workspace_id: int | None
    modified: str
    url: str


class Entries(NamedTuple):
    """One page of entries, and how many there are in all."""

    entries: list[Entry]
    total_hits: int


def find_entries(ctx: Context, user_id: int, text: str, offset: int, limit: int) -> Entries:
    """Return what a user may read that holds all words of a text, changed last first: one or two statements.

    A word may be a part of another one; case and accents do not matter. Without words nothing is found.
    """
    words = list(dict.fromkeys(fold(text).split()))[:WORDS]
    if not words:
        return Entries([], 0)
    rows, total = queries.entries_with(ctx, user_id, words, offset, limit)
    mount = base_url(ctx.config)
    return Entries([_shown(row, f"{mount}{address_of(user_id, row)}") for row in rows], total)


def _shown(row: Any, url: str) -> Entry:
    timed = row.tag == "VCALENDAR"
    return Entry(
        KINDS.get(row.component, "contact" if not timed else row.component.lower()), row.uid, row.summary or "",
        row.description or "", row.location or "", _moment(row.tstart) if timed else None,
        _moment(row.tend) if timed else None, row.space_id, iso_utc(row.modified), url,
    )  # fmt: skip


def _moment(seconds: int) -> str | None:
    return iso_second(seconds) if FIRST < seconds < LAST else None
