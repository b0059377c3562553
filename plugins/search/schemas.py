"""Wire shapes of search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, one_of
from atrio.plugins.core_content.api import SLUGS, ContentDigestSchema, wire_names

WORDS = 32
WORD_LENGTH = 255


class Words(fields.Field[Any]):
    """The words of a search: split at spaces and commas, the first of many, each cut to a length."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "string", "description": "Words; any of them is enough."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        text = str(value)
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise marshmallow.ValidationError("Not a valid string.")
        found = dict.fromkeys(word[:WORD_LENGTH] for word in text.replace(",", " ").split())
        return tuple(found)[:WORDS]


class TypeList(fields.Field[Any]):
    """A query value `file,thread`; empty means all types."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string", "description": "Content types, separated by commas.",
    }  # fmt: skip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        parts = tuple(dict.fromkeys(part.strip() for part in str(value).split(",") if part.strip()))
        if len(parts) > 64 or any(len(part) > 64 or not part.isascii() or "\x00" in part for part in parts):
            raise marshmallow.ValidationError("Not a list of content types.")
        return parts


class ContentSearchQuerySchema(Schema):
    """What is looked for."""

    search_string = Words(load_default=(), allow_none=True)
    size = Int(load_default=10, validate=validate.Range(min=0, max=1000))
    page_nb = Int(load_default=1, validate=validate.Range(min=1, max=1_000_000_000))
    content_types = TypeList(load_default=())
    show_archived = Int(load_default=0, validate=validate.Range(0, 1))
    show_deleted = Int(load_default=0, validate=validate.Range(0, 1))
    show_active = Int(load_default=1, validate=validate.Range(0, 1))


class SpaceInSearchSchema(Schema):
    """The space of a result."""

    workspace_id = Int()
    slug = Text()
    label = Text()


class ContentMinimalSchema(Schema):
    """One step of a path."""

    content_id = Int()
    label = Text()
    slug = Text()
    content_type = Text(validate=one_of(*SLUGS))


class ContentSearchSchema(ContentDigestSchema):
    """A content that was found; `path` leads from the root to it."""

    score = fields.Float()
    workspace = fields.Nested(SpaceInSearchSchema)
    path = fields.List(fields.Nested(ContentMinimalSchema))
    is_active = fields.Boolean()
    comment_count = Int(validate=validate.Range(min=0))
    todo_count = Int(validate=validate.Range(min=0))
    content_size = Int(validate=validate.Range(min=0))


class ContentSearchResultSchema(Schema):
    """One page of a search."""

    contents = fields.List(fields.Nested(ContentSearchSchema))
    total_hits = Int()
    is_total_hits_accurate = fields.Boolean()


content = Dumper(ContentSearchSchema, computed=wire_names())
result = Dumper(ContentSearchResultSchema)
