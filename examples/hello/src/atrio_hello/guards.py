"""Guards of hello."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call

from . import queries
from .errors import HelloGreetingNotFound


def _load(ctx: Context, call: Call) -> None:
    row = queries.ONE.first(ctx, greeting_id=int(call.path["greeting_id"]))
    if row is None or row.user_id != ctx.actor.id:
        raise HelloGreetingNotFound
    ctx.resources["greeting"] = row


GREETING = Guard("own greeting", _load, (HelloGreetingNotFound,))
"""Loads the greeting of the path; that of somebody else cannot be told from an absent one."""
