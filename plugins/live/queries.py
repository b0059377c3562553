"""Reads of live: the log, inboxes, the counter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, and_, bindparam, case, func, literal, not_, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.kernel.http.paging import Bookmark

from .models import COUNTER, EVENT, HISTORY, MESSAGE

PAST_PAGE = Statement(
    select(EVENT.c.event_id)
    .where(
        EVENT.c.space_id == bindparam("space_id"), EVENT.c.event_id < bindparam("before"),
        EVENT.c.shared == literal(1),
    )
    .order_by(EVENT.c.event_id.desc())
    .limit(bindparam("limit", type_=Integer)),
    "PastRow",
)  # fmt: skip
HISTORY_ROW = Statement(
    select(HISTORY.c.before_event, HISTORY.c.remaining).where(
        HISTORY.c.user_id == bindparam("user_id"), HISTORY.c.space_id == bindparam("space_id")
    ),
    "HistoryRow",
)
LAST = Statement(select(COUNTER.c.value).where(COUNTER.c.counter_id == literal(1)), "CounterRow")
NEWER = Statement(
    select(EVENT.c.event_id, EVENT.c.event_type, EVENT.c.created, EVENT.c.fields, EVENT.c.ends_user_id)
    .where(EVENT.c.event_id > bindparam("after"))
    .order_by(EVENT.c.event_id)
    .limit(bindparam("limit", type_=Integer)),
    "NewEventRow",
)
RECEIVERS = Statement(
    select(MESSAGE.c.event_id, MESSAGE.c.user_id).where(
        MESSAGE.c.event_id.between(bindparam("first"), bindparam("last")), MESSAGE.c.sent == literal(1)
    ),
    "ReceiverRow",
)
MISSED = Statement(
    select(MESSAGE.c.event_id, EVENT.c.event_type, EVENT.c.created, EVENT.c.fields, MESSAGE.c.read_at)
    .join(EVENT, EVENT.c.event_id == MESSAGE.c.event_id)
    .where(
        MESSAGE.c.user_id == bindparam("user_id"), MESSAGE.c.event_id > bindparam("after"),
        MESSAGE.c.event_id <= bindparam("upto"), MESSAGE.c.sent == literal(1),
    )
    .order_by(MESSAGE.c.event_id)
    .limit(bindparam("limit", type_=Integer)),
    "MissedRow",
)  # fmt: skip
NAMED = 400
"""Ids that are named in a statement; of more, all receivers are read."""


def receivers(ctx: Context, first: int, last: int, among: Collection[int]) -> Sequence[Any]:
    """Return (event_id, user_id) of those of some users who got the events of a range."""
    if len(among) > NAMED:
        return RECEIVERS.all(ctx, first=first, last=last)
    query = select(MESSAGE.c.event_id, MESSAGE.c.user_id).where(
        MESSAGE.c.user_id.in_(among), MESSAGE.c.event_id.between(first, last), MESSAGE.c.sent == 1
    )
    return ctx.execute(query).all()


@dataclass(frozen=True)
class Filter:
    """Which messages of an inbox; kinds are ranges of numbers. None and empty: not filtered."""

    include: Sequence[tuple[int, int]] = ()
    exclude: Sequence[tuple[int, int]] = ()
    not_by: Sequence[int] = ()
    of_spaces: Sequence[int] = ()
    about: Sequence[int] = ()
    with_history: bool = False
    read: bool | None = None

    @property
    def looks_at_events(self) -> bool:
        """Tell whether the log has to be asked, and not the inbox alone."""
        return bool(self.not_by or self.about)


def _within(spans: Sequence[tuple[int, int]]) -> Any:
    return or_(*(MESSAGE.c.kind.between(first, last) for first, last in spans))


def _conditions(user_id: int, wanted: Filter) -> list[Any]:
    found: list[Any] = [MESSAGE.c.user_id == user_id]
    if not wanted.with_history:
        found.append(MESSAGE.c.sent == 1)
    if wanted.read is not None:
        found.append(MESSAGE.c.read_at.is_not(None) if wanted.read else MESSAGE.c.read_at.is_(None))
    if wanted.include:
        found.append(_within(wanted.include))
    if wanted.exclude:
        found.append(not_(_within(wanted.exclude)))
    if wanted.of_spaces:
        found.append(MESSAGE.c.space_id.in_(wanted.of_spaces))
    if wanted.not_by:
        found.append(or_(EVENT.c.author_id.is_(None), EVENT.c.author_id.not_in(wanted.not_by)))
    if wanted.about:
        found.append(or_(EVENT.c.content_id.in_(wanted.about), EVENT.c.parent_id.in_(wanted.about)))
    return found


def inbox(ctx: Context, user_id: int, wanted: Filter, count: int, bookmark: Bookmark | None) -> Sequence[Any]:
    """Return one message more than asked for, newest first; before a bookmark, oldest first."""
    backward = bookmark is not None and bookmark.side == "<"
    query = (
        select(MESSAGE.c.event_id, EVENT.c.event_type, EVENT.c.created, MESSAGE.c.read_at, EVENT.c.fields)
        .join(EVENT, EVENT.c.event_id == MESSAGE.c.event_id)
        .where(and_(*_conditions(user_id, wanted)))
    )
    if bookmark is not None:
        place = MESSAGE.c.event_id
        query = query.where(place > bookmark.row_id if backward else place < bookmark.row_id)
    query = query.order_by(MESSAGE.c.event_id if backward else MESSAGE.c.event_id.desc())
    return ctx.execute(query.limit(count + 1)).all()


def counts(ctx: Context, user_id: int, wanted: Filter) -> tuple[int, int]:
    """Return how many messages there are, and how many of them are read."""
    query = select(func.count(), func.coalesce(func.sum(case((MESSAGE.c.read_at.is_not(None), 1), else_=0)), 0))
    query = query.select_from(MESSAGE)
    if wanted.looks_at_events:
        query = query.join(EVENT, EVENT.c.event_id == MESSAGE.c.event_id)
    row: Any = ctx.execute(query.where(and_(*_conditions(user_id, wanted)))).one()
    return int(row[0]), int(row[1])
