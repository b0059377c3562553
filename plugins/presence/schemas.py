"""Wire shapes of presence."""

from __future__ import annotations

from marshmallow import fields

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp, one_of

STATUSES = ("online", "offline", "hidden")


class PresenceSchema(Schema):
    """Whether a user is online, as far as the caller may know; `hidden` is for himself and administrators."""

    user_id = Int()
    status = Text(validate=one_of(*STATUSES))
    hidden = fields.Boolean(allow_none=True)
    since = Timestamp(allow_none=True)


class SetPresenceSchema(Schema):
    """Whether to hide."""

    hidden = fields.Boolean(required=True)


presence = Dumper(PresenceSchema)
