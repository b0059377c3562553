"""Wire shapes of resumable."""

from __future__ import annotations

from marshmallow import fields

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp


class UploadSchema(Schema):
    """An upload and how far it is; `content_id` is what was made of it, or the file that is to have its bytes."""

    upload_token = Text()
    workspace_id = Int()
    filename = Text()
    content_type = Text()
    content_namespace = Text()
    parent_id = Int(allow_none=True)
    length = Int()
    offset = Int()
    created = Timestamp()
    expires = Timestamp()
    is_finished = fields.Boolean()
    content_id = Int(allow_none=True)
    url = Text()


upload = Dumper(UploadSchema)
