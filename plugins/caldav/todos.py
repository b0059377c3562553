"""The to-dos of spaces as a task list of whom they are assigned to: their text out, their status both ways.

What a user may see of them depends on the contents, spaces and roles around them, so the list is not kept by
events: whoever asks for it has it compared with what there is, and only differences are written. So changes have
numbers and sync-tokens like in any other collection.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from atrio.kernel.config import base_url
from atrio.kernel.context import Actor, Context
from atrio.kernel.errors import KernelError
from atrio.kernel.http.response import Response
from atrio.kernel.jobs import SECOND
from atrio.plugins.core_content.api import set_own_todo_status, todos_of

from . import places, queries, services
from .answers import XML, failed
from .conditions import Conditions
from .places import CALENDAR, Place
from .services import Entry
from .texts import PRODID, Unreadable, components, decode, escape, fold, plain

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

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


def _differences(ctx: Context, user_id: int) -> tuple[dict[str, Entry], list[str]]:
    """Return what must be stored and what must go, by name."""
    wanted = {f"todo-{row.content_id}.ics": entry_of(ctx, row) for row in todos_of(ctx, user_id)}
    row = queries.BY_PATH.first(ctx, path=places.tasks_of(user_id).key)
    there = {} if row is None else {r.href: r.etag for r in queries.TAGS.all(ctx, collection_id=row.collection_id)}
    changed = {href: entry for href, entry in wanted.items() if there.get(href) != entry.etag}
    return changed, [href for href in there if href not in wanted]


def renew(kernel: Kernel, actor: Actor) -> bool:
    """Bring a user's task list up to date; tells whether anything differed. Three statements where nothing did."""
    user_id = int(actor.id or 0)
    changed, gone = kernel.run(lambda ctx: _differences(ctx, user_id), writes=False, actor=actor)
    if not changed and not gone:
        return False
    kernel.run(lambda ctx: _write(ctx, user_id), actor=actor)
    return True


def _write(ctx: Context, user_id: int) -> None:
    held = services.hold(ctx, places.tasks_of(user_id))
    assert held is not None, "everybody has this list"
    changed, gone = _differences(ctx, user_id)
    for href, entry in changed.items():
        services.put_item(ctx, held, href, entry, tell=False)  # the content has told it
    for href in gone:
        services.delete_item(ctx, held, href, tell=False)


def check(kernel: Kernel, actor: Actor, place: Place, conditions: Conditions, body: bytes) -> Response:
    """Take over the status of a task that a client saved; no ETag, since what is stored is not what was sent."""
    named = NAME.fullmatch(place.href or "")
    if named is None:
        return Response(403, failed("C:supported-calendar-component"), [], XML)
    status = status_of(body)
    if status is None:
        return Response(403, failed("C:valid-calendar-data"), [], XML)
    try:
        return kernel.run(
            lambda ctx: _check(ctx, int(actor.id or 0), place, int(named.group(1)), status, conditions),
            actor=actor,
        )
    except KernelError as error:
        return Response(
            404 if error.status == 400 else error.status, b"There is no such to-do.\n", [], "text/plain"
        )


def _check(
    ctx: Context, user_id: int, place: Place, todo_id: int, status: str, conditions: Conditions
) -> Response:
    held = services.hold(ctx, place)
    assert held is not None, "everybody has this list"
    row = queries.ONE.first(ctx, collection_id=held.collection_id, href=place.href)
    if conditions.fails(None if row is None else row.etag):
        return Response(412, b"The to-do has changed.\n", [], "text/plain")
    mine = next((r for r in todos_of(ctx, user_id) if r.content_id == todo_id), None)
    state = BACK.get(status, mine.status if mine is not None and mine.status in GIVEN_UP else GIVEN_UP[1])
    set_own_todo_status(ctx, user_id, todo_id, state)
    _write(ctx, user_id)
    return Response(204)


def status_of(body: bytes) -> str | None:
    """Return the status of the first task in a calendar, None where there is no task."""
    try:
        for part in components(decode(body, None)[0], CALENDAR):
            if part.name == "VTODO":
                return part.value(_STATUS).upper()
    except Unreadable:
        return None
    return None
