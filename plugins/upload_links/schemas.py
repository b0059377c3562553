"""Wire shapes of upload_links."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp
from atrio.plugins.accounts.api import NamedEmail, UserDigestSchema

MANY = 200
"""How many addresses one request may name."""
MESSAGE = 20_000


class NewLinksSchema(Schema):
    """Who may put files into a space."""

    emails = fields.List(NamedEmail(), required=True, validate=validate.Length(1, MANY))
    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(6, 512))


class LinkListQuerySchema(Schema):
    """Which links are shown."""

    show_disabled = Int(load_default=0, validate=validate.Range(0, 1))


class GuestPasswordSchema(Schema):
    """What a guest types."""

    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(6, 512))


class GuestUploadSchema(GuestPasswordSchema):
    """What a guest says beside his files."""

    username = Text(required=True, validate=validate.Length(1, 255))
    message = Text(load_default="", validate=validate.Length(max=MESSAGE))


class UploadLinkSchema(Schema):
    """An upload link, for those who manage it."""

    upload_permission_id = Int()
    workspace_id = Int()
    type = Text(validate=validate.OneOf(("email", "public-link")))
    email = Text()
    has_password = fields.Boolean()
    token = Text()
    upload_permission_group_uuid = Text()
    author_id = Int()
    author = fields.Nested(UserDigestSchema)
    created = Timestamp()
    disabled = Timestamp(allow_none=True)
    is_disabled = fields.Boolean()
    url = fields.Url()


class PublicUploadLinkSchema(Schema):
    """An upload link, for who has it."""

    has_password = fields.Boolean()


link = Dumper(UploadLinkSchema)
public_link = Dumper(PublicUploadLinkSchema)
