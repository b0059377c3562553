"""Wire shapes of reactions."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp
from atrio.plugins.accounts.api import UserDigestSchema


class ReactionSchema(Schema):
    """A reaction to a content."""

    reaction_id = Int()
    content_id = Int()
    author = fields.Nested(UserDigestSchema)
    value = Text()
    created = Timestamp()


class SetReactionSchema(Schema):
    """A new reaction."""

    value = Text(required=True, validate=validate.Length(1, 255))


reaction = Dumper(ReactionSchema)
