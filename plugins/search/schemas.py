"""Wire shapes of search."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, IdList, Int, Schema, Text, Timestamp, one_of
from atrio.plugins.accounts.api import UserDigestSchema
from atrio.plugins.core_content.api import SLUGS, ContentDigestSchema, wire_names
from atrio.plugins.spaces.api import SpaceDigestSchema, shown_label

from .engines import CONTENT_FIELDS, SPACE_FIELDS, USER_FIELDS

WORDS = 32
LISTED = 64
"""Values of a filter."""
NAME_LENGTH = 1100
"""Characters of a value: the longest label of a space."""
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


class QueryText(fields.Field[Any]):
    """The string that is looked for, in the language of queries; nothing in it is an error but NUL."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string", "description": 'Words, "a phrase", begin*, -without, this | that.',
    }  # fmt: skip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(value)
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise marshmallow.ValidationError("Not a valid string.")
        return text


class NameList(fields.Field[Any]):
    """A query value `one,two`; empty means any. With `choices` only these are taken."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "string", "description": "Values, separated by commas."}

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        text = str(value)
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise marshmallow.ValidationError("Not a valid string.")
        parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if len(parts) > LISTED or any(len(part) > NAME_LENGTH for part in parts):
            raise marshmallow.ValidationError("Too many values.")
        if self.choices and not set(parts) <= set(self.choices):
            raise marshmallow.ValidationError(f"Must be one of: {', '.join(self.choices)}.")
        return parts


class Moment(fields.Field[Any]):
    """A query value `YYYY-MM-DDTHH:MM:SSZ`, in microseconds since the epoch inside."""

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "string", "format": "date-time"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            moment = datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise marshmallow.ValidationError("Not a valid datetime.") from None
        return int(moment.timestamp()) * 1_000_000


class PagedSchema(Schema):
    """Which part of the hits is wanted."""

    size = Int(load_default=10, validate=validate.Range(min=0, max=1000))
    page_nb = Int(load_default=1, validate=validate.Range(min=1, max=1_000_000_000))


class ContentFilterSchema(PagedSchema):
    """Which contents may be found."""

    content_types = TypeList(load_default=())
    show_archived = Int(load_default=0, validate=validate.Range(0, 1))
    show_deleted = Int(load_default=0, validate=validate.Range(0, 1))
    show_active = Int(load_default=1, validate=validate.Range(0, 1))


class ContentSearchQuerySchema(ContentFilterSchema):
    """What is looked for."""

    search_string = Words(load_default=(), allow_none=True)


class AdvancedContentSearchQuerySchema(ContentFilterSchema):
    """What is looked for, where, and what narrows it."""

    search_string = QueryText(load_default="", allow_none=True)
    search_fields = NameList(*CONTENT_FIELDS, load_default=(), allow_none=True)
    workspace_names = NameList(load_default=())
    author__public_names = NameList(load_default=())
    last_modifier__public_names = NameList(load_default=())
    file_extensions = NameList(load_default=())
    statuses = NameList(load_default=())
    tags = NameList(load_default=())
    created_from = Moment(load_default=None, allow_none=True)
    created_to = Moment(load_default=None, allow_none=True)
    modified_from = Moment(load_default=None, allow_none=True)
    modified_to = Moment(load_default=None, allow_none=True)
    highlight = Int(load_default=0, validate=validate.Range(0, 1))


class UserSearchQuerySchema(PagedSchema):
    """Which people are looked for."""

    search_string = QueryText(required=True)
    search_fields = NameList(*USER_FIELDS, load_default=(), allow_none=True)
    workspace_ids = IdList(load_default=(), allow_none=True)
    newest_authored_content_date_from = Moment(load_default=None, allow_none=True)
    newest_authored_content_date_to = Moment(load_default=None, allow_none=True)
    show_deleted = Int(load_default=0, validate=validate.Range(0, 1))
    show_active = Int(load_default=1, validate=validate.Range(0, 1))


class SpaceSearchQuerySchema(PagedSchema):
    """Which spaces are looked for."""

    search_string = QueryText(required=True)
    search_fields = NameList(*SPACE_FIELDS, load_default=(), allow_none=True)
    member_ids = IdList(load_default=(), allow_none=True)
    owner_ids = IdList(load_default=(), allow_none=True)
    show_deleted = Int(load_default=0, validate=validate.Range(0, 1))


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


class HighlightedContentSchema(ContentSearchSchema):
    """A content that was found, with pieces of its texts by field: HTML-escaped, what matched in <em>."""

    highlights = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class TotalsSchema(Schema):
    """How many hits there are."""

    total_hits = Int()
    is_total_hits_accurate = fields.Boolean()


class ContentSearchResultSchema(TotalsSchema):
    """One page of a search."""

    contents = fields.List(fields.Nested(ContentSearchSchema))


class FacetCountSchema(Schema):
    """A value that hits have, and how many."""

    value = Text()
    count = Int()


class ContentFacetsSchema(Schema):
    """The most frequent values of all hits."""

    workspace_names = fields.List(fields.Nested(FacetCountSchema))
    author__public_names = fields.List(fields.Nested(FacetCountSchema))
    last_modifier__public_names = fields.List(fields.Nested(FacetCountSchema))
    file_extensions = fields.List(fields.Nested(FacetCountSchema))
    statuses = fields.List(fields.Nested(FacetCountSchema))
    content_types = fields.List(fields.Nested(FacetCountSchema))
    tags = fields.List(fields.Nested(FacetCountSchema))


DateRangeSchema = Schema.from_dict(
    {"from": Timestamp(allow_none=True), "to": Timestamp(allow_none=True)}, name="DateRangeSchema"
)


class AdvancedContentSearchResultSchema(TotalsSchema):
    """One page of an advanced search, and what is true of all hits."""

    contents = fields.List(fields.Nested(ContentSearchSchema))
    facets = fields.Nested(ContentFacetsSchema, allow_none=True)
    created_range = fields.Nested(DateRangeSchema, allow_none=True)
    modified_range = fields.Nested(DateRangeSchema, allow_none=True)


class SearchedUserSchema(UserDigestSchema):
    """Somebody who was found, with the spaces that the searcher shares with him."""

    workspace_ids = fields.List(Int())
    newest_authored_content_date = Timestamp(allow_none=True)


class SpaceFacetSchema(Schema):
    """A space, and how many hits it concerns."""

    value = fields.Nested(SpaceDigestSchema)
    count = Int()


class UserFacetSchema(Schema):
    """A user, and how many hits he concerns."""

    value = fields.Nested(UserDigestSchema)
    count = Int()


class UserSearchFacetsSchema(Schema):
    """The spaces of the people found."""

    workspaces = fields.List(fields.Nested(SpaceFacetSchema))


class UserSearchResultSchema(TotalsSchema):
    """One page of people."""

    users = fields.List(fields.Nested(SearchedUserSchema))
    facets = fields.Nested(UserSearchFacetsSchema)
    newest_authored_content_date_range = fields.Nested(DateRangeSchema)
    search_fields = fields.List(Text(validate=one_of(*USER_FIELDS)))


class SearchedSpaceSchema(SpaceInSearchSchema):
    """A space that was found; contents are counted for its members only."""

    access_type = Text()
    member_count = Int()
    content_count = Int()


class SpaceSearchFacetsSchema(Schema):
    """Members and owners of the spaces found."""

    members = fields.List(fields.Nested(UserFacetSchema))
    owners = fields.List(fields.Nested(UserFacetSchema))


class SpaceSearchResultSchema(TotalsSchema):
    """One page of spaces."""

    workspaces = fields.List(fields.Nested(SearchedSpaceSchema))
    facets = fields.Nested(SpaceSearchFacetsSchema)


content = Dumper(ContentSearchSchema, computed=wire_names())
highlighted_content = Dumper(HighlightedContentSchema, computed=wire_names())
result = Dumper(ContentSearchResultSchema)
advanced_result = Dumper(
    AdvancedContentSearchResultSchema,
    computed={
        "facets": lambda r: r.facets, "created_range": lambda r: r.created_range,
        "modified_range": lambda r: r.modified_range,
    },
)  # fmt: skip
user_digest = Dumper(UserDigestSchema)
user = Dumper(SearchedUserSchema)
user_result = Dumper(
    UserSearchResultSchema,
    computed={
        "facets": lambda r: r.facets,
        "newest_authored_content_date_range": lambda r: r.newest_authored_content_date_range,
    },
)
place = Dumper(SearchedSpaceSchema, computed={"label": lambda r: shown_label(r.label, r.deleted_at)})
place_result = Dumper(SpaceSearchResultSchema, computed={"facets": lambda r: r.facets})
