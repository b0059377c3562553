"""What live messages tell of calls (spec: events, §2–3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import user_digest

from . import queries, schemas
from .events import CallCreated, CallEvent, CallModified


def _tell(operation: str) -> Any:
    def tell(ctx: Context, event: CallEvent) -> list[Mapping[str, Any]]:
        row = queries.OUTGOING.one.first(ctx, user_id=event.caller_id, call_id=event.call_id)
        if row is None:
            return []
        fields = {
            "user_call": schemas.call.build(queries.view(ctx, row)),
            "user": user_digest(ctx, event.callee_id),
        }
        return [
            {
                "event_type": f"user_call.{operation}", "fields": fields,
                "audience": (queries.BOTH_SIDES, {"caller_id": event.caller_id, "callee_id": event.callee_id}),
            }
        ]  # fmt: skip

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": CallCreated, "types": ("user_call.created",), "messages": _tell("created")},
    {"event": CallModified, "types": ("user_call.modified",), "messages": _tell("modified")},
)
