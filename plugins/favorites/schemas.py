"""Wire shapes of favorites."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, one_of
from atrio.plugins.accounts.api import UserDigestSchema
from atrio.plugins.core_content.api import SLUGS, ContentDigestSchema, wire_names


class FavoriteContentSchema(Schema):
    """A favourite; `content` is null while the user cannot see it."""

    user_id = Int()
    user = fields.Nested(UserDigestSchema)
    content_id = Int()
    content = fields.Nested(ContentDigestSchema, allow_none=True)
    original_label = Text()
    original_type = Text(validate=one_of(*SLUGS))


class ContentIdBodySchema(Schema):
    """Which content."""

    content_id = Int(required=True, validate=validate.Range(min=1))


favorite = Dumper(FavoriteContentSchema, computed=wire_names("content__"))
