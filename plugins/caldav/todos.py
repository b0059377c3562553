"""The to-dos of spaces as a task list of whom they are assigned to: their text out, their status both ways.

What a user may see of them depends on the contents, spaces and roles around them: the list is a contributed
collection like those of other plugins.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND
from atrio.plugins.core_content.api import set_own_todo_status, todos_of

from .contributed import Contribution, Wanted
from .places import CALENDAR
from .services import Entry
from .texts import PRODID, Unreadable, components, escape, fold, plain

NAME = re.compile(r"todo-([1-9][0-9]{0,17})\.ics")
STATES = {"open": "NEEDS-ACTION", "closed-validated": "COMPLETED"}
"""What else is closed was given up: CANCELLED."""
BACK = {"NEEDS-ACTION": "open", "IN-PROCESS": "open", "": "open", "COMPLETED": "closed-validated"}
GIVEN_UP = ("closed-unvalidated", "closed-deprecated")
SUMMARY_LENGTH = 250
_STATUS = re.compile(r"^STATUS(?:;[^:\r\n]*)?:(.*)$", re.I)


def entry_of(ctx: Context, row: Any) -> Entry:
    """Return a to-do as a task (RFC 5545 §3.6.2); its status is all that clients may change."""
    text = plain(row.raw_content or "")
    moment = datetime.fromtimestamp(row.created // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")
    uid = f"atrio-todo-{row.content_id}"
    status = STATES.get(row.status, "CANCELLED")
    where = f"{row.parent__label} ({row.workspace__label})"
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", "BEGIN:VTODO", f"UID:{uid}", f"DTSTAMP:{moment}",
        f"CREATED:{moment}", f"SUMMARY:{escape(text[:SUMMARY_LENGTH] or where)}",
        f"DESCRIPTION:{escape(plain(where) if len(text) <= SUMMARY_LENGTH else f'{text} – {plain(where)}')}",
        f"URL:{base_url(ctx.config)}/ui/contents/{row.parent__content_id}", f"STATUS:{status}",
        *(["PERCENT-COMPLETE:100"] if status == "COMPLETED" else []), "END:VTODO", "END:VCALENDAR",
    ]  # fmt: skip
    body = "".join(f"{fold(line)}\r\n" for line in lines).encode("utf-8", "replace")
    seconds = row.created // SECOND
    return Entry(body, uid, "VTODO", (seconds, seconds + 1))


def _wanted(ctx: Context, user_id: int) -> Wanted:
    entries = {f"todo-{row.content_id}.ics": entry_of(ctx, row) for row in todos_of(ctx, user_id)}
    return {href: (entry.etag, lambda entry=entry: entry) for href, entry in entries.items()}  # type: ignore[misc]


def _check(ctx: Context, user_id: int, name: str, text: str) -> None:
    """Take over the status of a task that a client saved."""
    named = NAME.fullmatch(name)
    if named is None:
        raise ValueError("C:supported-calendar-component")
    status = status_of(text)
    if status is None:
        raise ValueError("C:valid-calendar-data")
    todo_id = int(named.group(1))
    mine = next((r for r in todos_of(ctx, user_id) if r.content_id == todo_id), None)
    state = BACK.get(status, mine.status if mine is not None and mine.status in GIVEN_UP else GIVEN_UP[1])
    set_own_todo_status(ctx, user_id, todo_id, state)


def status_of(text: str) -> str | None:
    """Return the status of the first task in a calendar, None where there is no task."""
    try:
        for part in components(text, CALENDAR):
            if part.name == "VTODO":
                return part.value(_STATUS).upper()
    except Unreadable:
        return None
    return None


TODOS = Contribution("todos", CALENDAR, "To-dos", _wanted, "#2f7d30", "VTODO", _check)
