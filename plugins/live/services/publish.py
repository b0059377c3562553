"""Telling a unit: its messages are numbered, logged and put into inboxes, right before its commit.

The row of the counter is locked from here to the commit, so ids rise in the order of commits and a reader that
has seen id N has seen everything before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, func, insert, literal, null, select, true, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Write
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import BootError, RetryWork
from atrio.kernel.events import Event
from atrio.plugins.accounts.api import user_digest

from .. import queries
from ..config import LiveConfig
from ..kinds import kind_of
from ..models import COUNTER, EVENT, HISTORY, MESSAGE
from ..telling import Teller, tellers_of

log = logging.getLogger("atrio.live")

INSERT_EVENT = Write(insert(EVENT))
_TAKE = update(COUNTER).where(COUNTER.c.counter_id == literal(1))
_ROOM = COUNTER.c.value + bindparam("taken", type_=BigInteger)
TAKE_RETURNING = Write(_TAKE.values(value=_ROOM).returning(COUNTER.c.value))
TAKE_MARIADB = _TAKE.values(value=func.last_insert_id(_ROOM))
LEAVE = delete(MESSAGE).where(
    MESSAGE.c.user_id == bindparam("leaving"), MESSAGE.c.space_id == bindparam("left_space")
)
LEAVE_HISTORY = delete(HISTORY).where(
    HISTORY.c.user_id == bindparam("leaving"), HISTORY.c.space_id == bindparam("left_space")
)
FORGOTTEN_AT_ONCE = 5000
"""Contents that one job forgets."""
_encode = msgspec.json.Encoder().encode


def publish(ctx: Context, events: Iterable[Event]) -> None:
    """Write what is to be told of these events; the unit commits next."""
    told = _collect(ctx, events)
    for message in told:
        if "leaves" in message:
            values = {"leaving": message["leaves"], "left_space": message["space_id"]}
            ctx.execute(LEAVE_HISTORY, values)  # first: it waits for a page that is being copied
            ctx.execute(LEAVE, values)
        if "forgets_space" in message:
            ctx.defer("live.forget_space", key=message["forgets_space"])
        gone = sorted(message.get("forgets_contents", ()))
        for start in range(0, len(gone), FORGOTTEN_AT_ONCE):
            ctx.defer("live.forget_contents", keys=gone[start : start + FORGOTTEN_AT_ONCE])
    rows = [m for m in told if "event_type" in m or "ends_streams_of" in m]
    if not rows:
        return
    first = _take(ctx, len(rows))
    written = [_row(ctx, first + i, message) for i, message in enumerate(rows)]
    INSERT_EVENT.run_all(ctx, written)
    _deliver(ctx, first, rows)
    for message in rows:
        if "joins" in message:
            _begin_history(ctx, message["joins"], message["space_id"], first)


def _collect(ctx: Context, events: Iterable[Event]) -> list[Mapping[str, Any]]:
    tellers = tellers_of(ctx.kernel)
    told: list[Mapping[str, Any]] = []
    for event in events:
        for teller in tellers.of(type(event)):
            told += _ask(ctx, teller, event)
    return told


def _ask(ctx: Context, teller: Teller, event: Event) -> list[Mapping[str, Any]]:
    """Return what one plugin tells; a fault in its code loses its own message and nobody else's."""
    try:
        return [_told(ctx, message) for message in teller.messages(ctx, event)]
    except (RetryWork, DBAPIError):
        raise
    except Exception:
        owner = teller.owner
        log.exception("%s could not tell of %s", owner.name if owner else "?", event.name)
        ctx.kernel.note_fault(owner)
        return []


def _told(ctx: Context, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message with its fields as they are stored; what tells nobody anything has none."""
    if not message.get("event_type"):
        return {**message}
    author = user_digest(ctx, ctx.actor.shown_id)
    fields = _encode({"author": author, "client_token": ctx.client_token, **message["fields"]})
    return {**message, "fields": fields.decode()}


def _take(ctx: Context, number: int) -> int:
    """Return the first of some ids in a row, which nobody else gets before this unit is over."""
    if ctx.dialect in ("mysql", "mariadb"):
        result: Any = ctx.execute(TAKE_MARIADB, {"taken": number})
        last = result.lastrowid if result.rowcount == 1 else None
    else:
        last = TAKE_RETURNING.value(ctx, {"taken": number})
    if last is None:
        raise BootError("the counter of live messages has no row; run atrio db upgrade")
    return int(last) - number + 1


def _row(ctx: Context, event_id: int, message: Mapping[str, Any]) -> dict[str, Any]:
    event_type = message.get("event_type", "")
    return {
        "event_id": event_id, "event_type": event_type, "kind": kind_of(event_type), "created": ctx.now,
        "author_id": ctx.actor.shown_id, "space_id": message.get("space_id"),
        "content_id": message.get("content_id"), "parent_id": message.get("parent_id"),
        "shared": int(bool(message.get("history"))),
        "ends_user_id": message.get("ends_streams_of"), "fields": message.get("fields", "{}"),
    }  # fmt: skip


def _deliver(ctx: Context, first: int, rows: list[Mapping[str, Any]]) -> None:
    """Fill the inboxes: one INSERT … SELECT for each kind of audience, whatever the number of messages.

    Messages in a row with the same audience are one range of ids; audiences that differ in their values only
    (everybody who is mentioned) go together.
    """
    runs: dict[int, tuple[Any, list[dict[str, Any]]]] = {}
    last: dict[str, Any] | None = None
    for event_id, message in enumerate(rows, first):
        if message.get("audience") is None:
            last = None
            continue
        chosen, values = message["audience"]
        _, mine = runs.setdefault(id(chosen), (chosen, []))
        if mine and mine[-1] is last and last == {**last, **values}:
            last["live_last"] = event_id
        else:
            last = {**values, "live_first": event_id, "live_last": event_id}
            mine.append(last)
    for chosen, mine in runs.values():
        statement = _statement(ctx, chosen)
        if isinstance(statement, Write):
            statement.run_all(ctx, mine)
        else:
            ctx.execute(statement, mine[0] if len(mine) == 1 else mine)


def _statement(ctx: Context, chosen: Any) -> Any:
    """Return the INSERT … SELECT of an audience, which is told apart by identity and so kept beside it.

    A Write, unless the audience names a list whose length its statement depends on.
    """

    def make() -> tuple[Any, Any]:
        listed = any(getattr(part, "expanding", False) for part in visitors.iterate(chosen))
        return chosen, _filling(chosen) if listed else Write(_filling(chosen))

    return ctx.kernel.memo(("live.deliver", id(chosen)), make)[1]


def _filling(chosen: Any) -> Any:
    audience = chosen.subquery("audience")
    source = (
        select(
            audience.c[0], EVENT.c.event_id, EVENT.c.kind, EVENT.c.space_id, literal(1).label("sent"),
            null().label("read_at"),
        )
        .select_from(EVENT)
        .join(audience, true())
        .where(EVENT.c.event_id.between(bindparam("live_first"), bindparam("live_last")))
    )  # fmt: skip
    return insert(MESSAGE).from_select(["user_id", "event_id", "kind", "space_id", "sent", "read_at"], source)


def _begin_history(ctx: Context, user_id: int, space_id: int, before: int) -> None:
    """Note what the new member's past is; a job copies it. Nothing to do where nothing was told yet."""
    wanted = ctx.config[LiveConfig].join_history
    if wanted == 0 or not queries.PAST_PAGE.all(ctx, space_id=space_id, before=before, limit=1):
        return
    statement = upsert(
        ctx.dialect, HISTORY, ("user_id", "space_id"), overwrite=("before_event", "remaining")
    )  # fmt: skip
    row = {"user_id": user_id, "space_id": space_id, "before_event": before, "remaining": wanted}
    ctx.execute(statement, [row])
    ctx.defer("live.history", user_id=user_id, space_id=space_id)
