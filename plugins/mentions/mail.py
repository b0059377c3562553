"""What mail tells of mentions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context

from .events import MentionCreated


def notices(ctx: Context, event: MentionCreated) -> list[Mapping[str, Any]]:
    """Tell who is mentioned: the mail of the revision says so, or the digest names it first."""
    to_user = event.recipient_type == "user"
    return [
        {
            "kind": "content", "ref": str(event.revision_id), "space_id": event.space_id,
            "content_id": event.content_id, "revision_id": event.revision_id, "mentioned": True,
            "user_id": event.recipient_id if to_user else None,
            "least_role": 0 if to_user else event.recipient_id,
        }
    ]  # fmt: skip


MAIL_NOTICES: tuple[Mapping[str, Any], ...] = ({"event": MentionCreated, "notices": notices},)
