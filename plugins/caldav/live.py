"""What live messages tell of entries: to the members of a space, or to the user whose calendar it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import every_member, one_user, told_space

from .events import ItemCreated, ItemDeleted, ItemEvent, ItemModified


def _tell(operation: str) -> Any:
    def tell(ctx: Context, event: ItemEvent) -> list[Mapping[str, Any]]:
        fields: dict[str, Any] = {
            "calendar": {"kind": event.kind, "workspace_id": event.space_id, "user_id": event.user_id},
            "calendar_item": {"name": event.href, "uid": event.uid, "component": event.component},
        }
        kind = f"calendar_item.{operation}"
        if event.space_id is None:
            return [{"event_type": kind, "fields": fields, "audience": one_user(int(event.user_id or 0))}]
        fields["workspace"] = told_space(ctx, event.space_id)
        return [
            {
                "event_type": kind, "fields": fields, "audience": every_member(event.space_id),
                "space_id": event.space_id,
            }
        ]  # fmt: skip

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": ItemCreated, "types": ("calendar_item.created",), "messages": _tell("created")},
    {"event": ItemModified, "types": ("calendar_item.modified",), "messages": _tell("modified")},
    {"event": ItemDeleted, "types": ("calendar_item.deleted",), "messages": _tell("deleted")},
)
