"""The past of a space for who joined it: read, not sent, in pages that hold no lock for long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, insert, literal, select, update

from atrio.kernel.context import Context

from .. import queries
from ..models import EVENT, HISTORY, MESSAGE

PAGE = 5000

_there = MESSAGE.alias("there")
_missing = (
    select(literal(1))
    .where(_there.c.user_id == bindparam("owner"), _there.c.event_id == EVENT.c.event_id)
    .correlate(EVENT)
    .exists()
)
COPY = insert(MESSAGE).from_select(
    ["user_id", "event_id", "kind", "space_id", "sent", "read_at"],
    select(
        bindparam("owner", type_=MESSAGE.c.user_id.type), EVENT.c.event_id, EVENT.c.kind, EVENT.c.space_id,
        literal(0), bindparam("moment", type_=MESSAGE.c.read_at.type),
    ).where(
        EVENT.c.space_id == bindparam("space"), EVENT.c.shared == literal(1),
        EVENT.c.event_id.between(bindparam("low"), bindparam("high")), ~_missing,
    ),
)  # fmt: skip


def copy_history(ctx: Context, user_id: int, space_id: int) -> None:
    """Copy one page of a space's past into an inbox, newest first, and queue the next.

    The row of `live_history` says how far it got, in the same transaction as the copies; without the row the
    user has left meanwhile, or all is copied.
    """
    here = (HISTORY.c.user_id == user_id) & (HISTORY.c.space_id == space_id)
    held: Any = ctx.execute(update(HISTORY).where(here).values(remaining=HISTORY.c.remaining))
    if held.rowcount != 1:  # who leaves later than this waits for us, and forgets what we copied
        return
    state: Any = queries.HISTORY_ROW.first(ctx, user_id=user_id, space_id=space_id)
    wanted = PAGE if state.remaining < 0 else min(PAGE, state.remaining)
    ids = [r.event_id for r in queries.PAST_PAGE.all(
        ctx, space_id=space_id, before=state.before_event, limit=wanted
    )]  # fmt: skip
    if ids:
        values: dict[str, Any] = {
            "owner": user_id, "moment": ctx.now, "space": space_id, "low": ids[-1], "high": ids[0],
        }  # fmt: skip
        ctx.execute(COPY, values)
    left = state.remaining - len(ids) if state.remaining >= 0 else -1
    if len(ids) < wanted or left == 0:
        ctx.execute(delete(HISTORY).where(here))
        return
    ctx.execute(update(HISTORY).where(here).values(before_event=ids[-1], remaining=left))
    ctx.defer("live.history", user_id=user_id, space_id=space_id)
