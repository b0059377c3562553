"""When mail acts: at the end of each unit that tells something, it leaves a job."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.events import Event, Phase, Stage, Subscription

from .config import MailConfig
from .notices import declared

AT_ONCE = 200
"""Notices of one job."""


def hear(ctx: Context, events: list[Event]) -> None:
    """Leave a job for what these events tell by mail: whom it concerns is looked up there, not in the request."""
    if ctx.config[MailConfig].transport == "off":
        return
    tellers = declared(ctx.kernel)
    notices: list[dict[str, Any]] = []
    for event in events:
        for teller in tellers.get(type(event), ()):
            notices += ({**notice} for notice in teller(ctx, event))
    for start in range(0, len(notices), AT_ONCE):
        ctx.defer("mail.fan_out", notices=notices[start : start + AT_ONCE], author_id=ctx.actor.shown_id)


SUBSCRIPTIONS = (Subscription(Event, hear, Phase.BEFORE_COMMIT, Stage.PUBLISH),)
