"""Writes of calls."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_hex
from typing import Any

from sqlalchemy import insert, update

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import KNOWS_USER_PERMISSION, UserNotFound, get_user

from . import queries
from .errors import UserCallTransitionNotAllowed
from .events import CallCreated, CallModified
from .models import CALL
from .states import START

INSERT = insert(CALL)


def call_user(ctx: Context, caller_id: int, callee_id: int) -> int:
    """Begin a call and return its id; UserNotFound for whom the actor may not know or who cannot sign in."""
    callee = get_user(ctx, callee_id)
    if callee.is_deleted or not callee.is_active:
        raise UserNotFound
    ctx.kernel.rights.check(ctx, KNOWS_USER_PERMISSION, callee)
    now = ctx.now
    values = {
        "caller_id": caller_id, "callee_id": callee_id, "state": START, "room": _room(ctx, caller_id, callee_id),
        "created": now, "updated": now,
    }  # fmt: skip
    result: Any = ctx.execute(INSERT, values)
    call_id = int(result.inserted_primary_key[0])
    ctx.emit(CallCreated(call_id, caller_id, callee_id, START))
    return call_id


def _room(ctx: Context, caller_id: int, callee_id: int) -> str:
    """Return the room of two users, the same whoever calls and whenever.

    The first call draws it: a room that follows from the two ids alone could be entered by anybody who counts.
    """
    low, high = sorted((caller_id, callee_id))
    known = queries.ROOM.value(ctx, low=low, high=high)
    return str(known or sha256(f"{low},{high},{token_hex(32)}".encode()).hexdigest())


def set_state(ctx: Context, call: Any, state: str, allowed: frozenset[str]) -> int:
    """End the ringing of a call, once; UserCallTransitionNotAllowed when it is over or not for this side."""
    if state not in allowed:
        raise UserCallTransitionNotAllowed
    changed: Any = ctx.execute(
        update(CALL)
        .where(CALL.c.call_id == call.call_id, CALL.c.state == START)
        .values(state=state, updated=ctx.now)
    )
    if changed.rowcount != 1:
        raise UserCallTransitionNotAllowed
    ctx.emit(CallModified(call.call_id, call.caller__user_id, call.callee__user_id, state))
    return int(call.call_id)
