"""Reads of calls."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns, user_ids

from .config import CallsConfig
from .models import CALL

_caller, _caller_is, _caller_columns = digest_columns(CALL.c.caller_id, "caller")
_callee, _callee_is, _callee_columns = digest_columns(CALL.c.callee_id, "callee")
_ALL = (
    select(
        CALL.c.call_id, CALL.c.state, CALL.c.room, CALL.c.created, CALL.c.updated, *_caller_columns,
        *_callee_columns,
    )
    .join(_caller, _caller_is)
    .join(_callee, _callee_is)
)  # fmt: skip


_low, _high = bindparam("low", type_=Id), bindparam("high", type_=Id)
ROOM = Statement(
    select(CALL.c.room)
    .where(
        or_(
            and_(CALL.c.caller_id == _low, CALL.c.callee_id == _high),
            and_(CALL.c.caller_id == _high, CALL.c.callee_id == _low),
        )
    )
    .order_by(CALL.c.call_id)
    .limit(1),
    "RoomRow",
)


class Side:
    """The calls of one side: those a user made, or those he received."""

    def __init__(self, column: Any) -> None:
        mine = _ALL.where(column == bindparam("user_id"))
        self.all = Statement(mine.order_by(CALL.c.call_id), "CallRow")
        self.of_state = Statement(
            mine.where(CALL.c.state == bindparam("state")).order_by(CALL.c.call_id), "CallRow"
        )
        self.one = Statement(mine.where(CALL.c.call_id == bindparam("call_id")), "CallRow")


OUTGOING = Side(CALL.c.caller_id)
INCOMING = Side(CALL.c.callee_id)
VIEW = row_type("CallView", (*OUTGOING.one.keys, "url"))

_accounts = user_ids()
_account = _accounts.selected_columns[0]
BOTH_SIDES = _accounts.where(
    or_(_account == bindparam("caller_id", type_=Id), _account == bindparam("callee_id", type_=Id))
)
"""The two users of a call."""


def view(ctx: Context, row: Any) -> Any:
    """Return a call with the address of its room."""
    return VIEW(*row, f"{ctx.config[CallsConfig].jitsi_url.rstrip('/')}/tracim-{row.room}")
