"""Wire shapes of live (spec: events, §2 and §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow
import msgspec
from marshmallow import fields, validate

from atrio.kernel.db.base import iso_utc
from atrio.kernel.http.schema import Dumper, IdList, Int, Schema, Text, Timestamp, one_of
from atrio.plugins.accounts.api import UserDigestSchema

from .kinds import ENTITIES, OPERATIONS

EVENT_TYPES = 100


class EventTypes(fields.Field[Any]):
    """A query value of event types, separated by commas; empty: none given. Gives the texts."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "description": "`entity`, `entity.operation` or `entity.operation.subtype`, separated by commas; "
        f"`*` is every operation. Entities: {', '.join(ENTITIES)}. Operations: {', '.join(OPERATIONS)}.",
        "examples": ["content.created,mention"],
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        parts = [p.strip() for p in str(value).split(",") if p.strip()]
        if len(parts) > EVENT_TYPES or any(len(p) > 100 for p in parts):
            raise marshmallow.ValidationError("Too many event types.")
        return tuple(dict.fromkeys(parts))


class SummaryQuerySchema(Schema):
    """Which messages."""

    include_event_types = EventTypes(load_default=())
    exclude_event_types = EventTypes(load_default=())
    exclude_author_ids = IdList(load_default=())
    include_not_sent = Int(load_default=0, validate=validate.Range(0, 1))
    workspace_ids = IdList(load_default=())
    related_to_content_ids = IdList(load_default=())


class MessageQuerySchema(SummaryQuerySchema):
    """Which messages, and how many."""

    count = Int(load_default=10, validate=validate.Range(min=1, max=100_000))
    page_token = fields.String(load_default=None, allow_none=True)
    read_status = Text(load_default="all", validate=one_of("all", "read", "unread"))


class MarkQuerySchema(Schema):
    """Which messages to mark; nothing: all."""

    event_ids = IdList(load_default=())
    content_ids = IdList(load_default=())
    parent_ids = IdList(load_default=())
    space_ids = IdList(load_default=())


class StreamQuerySchema(Schema):
    """From where a stream resumes; 0: from now."""

    after_event_id = Int(load_default=0)


class MessageSchema(Schema):
    """A message."""

    fields_ = fields.Dict(data_key="fields", keys=fields.String())
    event_id = Int()
    event_type = Text()
    created = Timestamp()
    read = Timestamp(allow_none=True)


class SummarySchema(Schema):
    """How many messages."""

    messages_count = Int()
    read_messages_count = Int()
    unread_messages_count = Int()
    user_id = Int()
    user = fields.Nested(UserDigestSchema)


def _raw(row: Any) -> msgspec.Raw:
    return msgspec.Raw(row.fields.encode())


message = Dumper(
    MessageSchema,
    computed={"fields_": _raw, "read": lambda r: None if r.read_at is None else iso_utc(r.read_at)},
)  # fmt: skip
summary = Dumper(SummarySchema)
