"""What live messages tell of calendars and entries: to the members of a space, or to the user whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import every_member, one_user, told_space

from .events import (
    CollectionCreated,
    CollectionDeleted,
    CollectionEvent,
    CollectionModified,
    ItemCreated,
    ItemDeleted,
    ItemEvent,
    ItemModified,
)


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


def _tell_of_collection(operation: str) -> Any:
    def tell(ctx: Context, event: CollectionEvent) -> list[Mapping[str, Any]]:
        calendar = {
            "kind": event.kind, "calendar_id": event.collection_id, "workspace_id": event.space_id,
            "user_id": event.user_id,
        }  # fmt: skip
        said: dict[str, Any] = {"event_type": f"calendar.{operation}", "fields": {"calendar": calendar}}
        if event.space_id is None:
            return [said | {"audience": one_user(int(event.user_id or 0))}]
        said["fields"]["workspace"] = told_space(ctx, event.space_id)
        return [said | {"audience": every_member(event.space_id), "space_id": event.space_id}]

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": CollectionCreated, "types": ("calendar.created",), "messages": _tell_of_collection("created")},
    {"event": CollectionModified, "types": ("calendar.modified",), "messages": _tell_of_collection("modified")},
    {"event": CollectionDeleted, "types": ("calendar.deleted",), "messages": _tell_of_collection("deleted")},
    {"event": ItemCreated, "types": ("calendar_item.created",), "messages": _tell("created")},
    {"event": ItemModified, "types": ("calendar_item.modified",), "messages": _tell("modified")},
    {"event": ItemDeleted, "types": ("calendar_item.deleted",), "messages": _tell("deleted")},
)
