"""What live messages tell of tags (spec: events, §2–3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import told_content
from atrio.plugins.spaces.api import every_member, space_public, told_space

from .events import ContentTagged, ContentUntagged, TagCreated, TagDeleted


def _tag(event: Any) -> dict[str, Any]:
    return {"tag_id": event.tag_id, "workspace_id": event.space_id, "tag_name": event.tag_name}


def _tell(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> list[Mapping[str, Any]]:
        return [
            {
                "event_type": f"tag.{operation}",
                "fields": {"tag": _tag(event), "workspace": told_space(ctx, event.space_id)},
                "audience": space_public(event.space_id), "space_id": event.space_id, "history": True,
            }
        ]  # fmt: skip

    return tell


def _tell_content(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> list[Mapping[str, Any]]:
        found = told_content(ctx, event.space_id, event.content_id)
        if found is None:
            return []
        content, row = found
        fields = {"tag": _tag(event), "content": content, "workspace": told_space(ctx, event.space_id)}
        return [
            {
                "event_type": f"content_tag.{operation}", "fields": fields,
                "audience": every_member(event.space_id), "space_id": event.space_id,
                "content_id": event.content_id, "parent_id": getattr(row, "parent_id", None), "history": True,
            }
        ]  # fmt: skip

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": TagCreated, "types": ("tag.created",), "messages": _tell("created")},
    {"event": TagDeleted, "types": ("tag.deleted",), "messages": _tell("deleted")},
    {"event": ContentTagged, "types": ("content_tag.created",), "messages": _tell_content("created")},
    {"event": ContentUntagged, "types": ("content_tag.deleted",), "messages": _tell_content("deleted")},
)
