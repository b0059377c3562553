"""What live messages tell of greetings: who got one hears of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import one_user

from . import queries, schemas
from .events import GreetingSent


def tell(ctx: Context, event: GreetingSent) -> list[Mapping[str, Any]]:
    """Tell the user who was greeted; called at the end of the unit that sent the greeting."""
    row = queries.ONE.first(ctx, greeting_id=event.greeting_id)
    if row is None:
        return []
    return [
        {
            "event_type": "hello_greeting.created", "fields": {"greeting": schemas.greeting.build(row)},
            "audience": one_user(event.user_id),
        }
    ]  # fmt: skip


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": GreetingSent, "types": ("hello_greeting.created",), "messages": tell},
)
