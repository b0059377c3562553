"""What live messages tell of mentions (spec: events, §2–3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import told_content
from atrio.plugins.spaces.api import members_at_least, one_user, told_space

from .events import MentionCreated

USER, ROLE = 1, 2
"""How the wire names whom a mention is for."""


def tell(ctx: Context, event: MentionCreated) -> list[Mapping[str, Any]]:
    """Tell the user who is mentioned, or the members from a role on."""
    found = told_content(ctx, event.space_id, event.content_id)
    if found is None:
        return []
    content, row = found
    to_user = event.recipient_type == "user"
    mention = {
        "type": USER if to_user else ROLE, "recipient": event.recipient_id, "content_id": event.content_id,
    }  # fmt: skip
    fields = {
        "mention": mention, "content": content, "workspace": told_space(ctx, event.space_id, described=True),
    }  # fmt: skip
    audience = one_user(event.recipient_id) if to_user else members_at_least(event.space_id, event.recipient_id)
    return [
        {
            "event_type": "mention.created", "fields": fields, "audience": audience, "space_id": event.space_id,
            "content_id": event.content_id, "parent_id": getattr(row, "parent_id", None),
        }
    ]  # fmt: skip


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": MentionCreated, "types": ("mention.created",), "messages": tell},
)
