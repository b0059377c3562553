"""Wire shapes of calls."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp, one_of
from atrio.plugins.accounts.api import UserDigestSchema

from .states import STATES


class UserCallSchema(Schema):
    """A call."""

    call_id = Int()
    caller = fields.Nested(UserDigestSchema)
    callee = fields.Nested(UserDigestSchema)
    state = Text(validate=one_of(*STATES))
    created = Timestamp()
    updated = Timestamp(data_key="modified")
    url = Text()


class UserCallsSchema(Schema):
    """Calls of one side."""

    items = fields.List(fields.Nested(UserCallSchema))


class CreateUserCallSchema(Schema):
    """Whom to call."""

    callee_id = Int(required=True, validate=validate.Range(min=1))


class UpdateUserCallStateSchema(Schema):
    """A new state."""

    state = Text(required=True, validate=one_of(*STATES))


class GetUserCallsQuerySchema(Schema):
    """Query of a list of calls."""

    state = Text(load_default=None, allow_none=True, validate=one_of(*STATES))


call = Dumper(UserCallSchema)
calls = Dumper(UserCallsSchema)
