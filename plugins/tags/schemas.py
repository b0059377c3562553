"""Wire shapes of tags."""

from __future__ import annotations

from marshmallow import validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text


class TagSchema(Schema):
    """A tag of a space."""

    tag_id = Int()
    workspace_id = Int()
    tag_name = Text()


class SetTagByNameSchema(Schema):
    """The name of a tag."""

    tag_name = Text(required=True, validate=validate.Length(1, 255))


tag = Dumper(TagSchema)
