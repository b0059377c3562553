"""Wire shapes of share."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp
from atrio.plugins.accounts.api import NamedEmail, UserDigestSchema

PASSWORD = validate.Length(6, 512)
MANY = 200
"""How many addresses one request may name."""


class NewShareSchema(Schema):
    """Whom a file is shared with."""

    emails = fields.List(NamedEmail(), required=True, validate=validate.Length(1, MANY))
    password = fields.String(load_default=None, allow_none=True, validate=PASSWORD)


class ShareListQuerySchema(Schema):
    """Which shares are shown."""

    show_disabled = Int(load_default=0, validate=validate.Range(0, 1))


class GuestPasswordSchema(Schema):
    """What a guest types."""

    password = fields.String(load_default=None, allow_none=True, validate=validate.Length(6, 512))


class ShareSchema(Schema):
    """A share, for those who manage it."""

    share_id = Int()
    content_id = Int()
    type = Text(validate=validate.OneOf(("email", "public-link")))
    email = Text()
    has_password = fields.Boolean()
    share_token = Text()
    share_group_uuid = Text()
    author_id = Int()
    author = fields.Nested(UserDigestSchema)
    created = Timestamp()
    disabled = Timestamp(allow_none=True)
    is_disabled = fields.Boolean()
    url = fields.Url()
    direct_url = fields.Url(allow_none=True)


class PublicShareSchema(Schema):
    """A share, for who has its link: neither the token nor an address."""

    share_id = Int()
    content_id = Int()
    author_id = Int()
    author = fields.Nested(UserDigestSchema)
    has_password = fields.Boolean()
    content_label = Text()
    content_filename = Text()
    content_file_extension = Text()
    content_size = Int(allow_none=True)


share = Dumper(ShareSchema)
public_share = Dumper(PublicShareSchema)
