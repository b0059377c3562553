"""What live messages tell of reactions (spec: events, §2–3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.db.base import iso_utc
from atrio.plugins.accounts.api import user_digest
from atrio.plugins.core_content.api import told_content
from atrio.plugins.spaces.api import every_member, told_space

from .events import ReactionCreated, ReactionDeleted, ReactionEvent


def _tell(operation: str) -> Any:
    def tell(ctx: Context, event: ReactionEvent) -> list[Mapping[str, Any]]:
        found = told_content(ctx, event.space_id, event.content_id)
        if found is None:
            return []
        content, row = found
        author = user_digest(ctx, event.user_id)
        reaction = {
            "reaction_id": event.reaction_id, "content_id": event.content_id, "author": author,
            "value": event.value, "created": iso_utc(event.created),
        }  # fmt: skip
        fields = {
            "reaction": reaction, "content": content, "workspace": told_space(ctx, event.space_id), "user": author,
        }  # fmt: skip
        return [
            {
                "event_type": f"reaction.{operation}", "fields": fields, "audience": every_member(event.space_id),
                "space_id": event.space_id, "content_id": event.content_id,
                "parent_id": getattr(row, "parent_id", None), "history": True,
            }
        ]  # fmt: skip

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": ReactionCreated, "types": ("reaction.created",), "messages": _tell("created")},
    {"event": ReactionDeleted, "types": ("reaction.deleted",), "messages": _tell("deleted")},
)
