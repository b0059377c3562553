"""What live messages tell of contents (spec: events, §2–4). An uploaded file is told as created and modified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import every_member, told_space

from . import queries, schemas
from .events import (
    ContentCopied,
    ContentCreated,
    ContentEvent,
    ContentModified,
    ContentPurged,
    ContentRestored,
    ContentTrashed,
)

Messages = list[Mapping[str, Any]]


def told_content(
    ctx: Context, space_id: int, content_id: int, *, kind: str | None = None, parent_id: int | None = None
) -> tuple[Any, Any] | None:  # fmt: skip
    """Return the JSON of a content as live messages carry it and its row; None when it is gone.

    Read once a unit. `kind` and `parent_id` spare a statement where they are known, as they are of what this
    unit changed.
    """
    if kind is None:
        mine = (e for e in reversed(ctx.events) if isinstance(e, ContentEvent) and e.content_id == content_id)
        kind, parent_id = next(((e.content_type, e.parent_id) for e in mine), (None, None))
    if kind is None or kind not in ("comment", "todo"):
        row = _whole(ctx, content_id)
        if row is None:
            return None
        kind, parent_id = str(row.content_type), row.parent_id
        if kind not in ("comment", "todo"):
            return schemas.TOLD.get(kind, schemas.told_content).build(row), row
    statement = queries.COMMENT_DETAIL if kind == "comment" else queries.TODO_DETAIL
    row = queries.said(ctx, statement, content_id=content_id, parent_id=parent_id, space_id=space_id)
    return None if row is None else (schemas.TOLD[kind].build(row), row)


def _whole(ctx: Context, content_id: int) -> Any:
    """Return the row of a content; the one that a guard loaded does where nothing changed it since."""
    row = ctx.resources.get("content")
    if getattr(row, "content_id", None) == content_id and hasattr(row, "version_number"):
        changed = any(isinstance(e, ContentEvent) and e.content_id == content_id for e in ctx.events)
        if not changed:
            return row
    return queries.shown(ctx, content_id)


def _tell(operation: str) -> Any:
    def tell(ctx: Context, event: ContentEvent) -> Messages:
        found = told_content(
            ctx, event.space_id, event.content_id, kind=event.content_type, parent_id=event.parent_id
        )
        if found is None:
            return []
        content, row = found
        message = {
            "event_type": f"content.{operation}.{event.content_type}",
            "fields": {"content": content, "workspace": told_space(ctx, event.space_id)},
            "audience": every_member(event.space_id), "space_id": event.space_id, "content_id": event.content_id,
            "parent_id": event.parent_id, "history": True,
        }  # fmt: skip
        if operation == "created" and getattr(row, "stored_size", None) is not None:
            return [message, {**message, "event_type": f"content.modified.{event.content_type}"}]
        return [message]

    return tell


def _purged(ctx: Context, event: ContentPurged) -> Messages:
    return [{"forgets_contents": event.content_ids}]


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": ContentCreated, "types": ("content.created", "content.modified"), "messages": _tell("created")},
    {"event": ContentModified, "types": ("content.modified",), "messages": _tell("modified")},
    {"event": ContentTrashed, "types": ("content.deleted",), "messages": _tell("deleted")},
    {"event": ContentRestored, "types": ("content.undeleted",), "messages": _tell("undeleted")},
    {"event": ContentCopied, "types": ("content.copied",), "messages": _tell("copied")},
    {"event": ContentPurged, "types": (), "messages": _purged},
)
