"""Wire shapes of hello."""

from __future__ import annotations

from marshmallow import validate

from atrio.kernel.http.schema import Dumper, Int, Schema, Text, Timestamp


class HelloGreetingSchema(Schema):
    """A greeting."""

    greeting_id = Int()
    user_id = Int()
    sender_id = Int(allow_none=True)
    text = Text()
    created = Timestamp()


class HelloGreetingCreationSchema(Schema):
    """A new greeting."""

    user_id = Int(required=True, validate=validate.Range(min=1))
    text = Text(required=True, validate=validate.Length(1, 10_000))


class HelloGreetingFilterSchema(Schema):
    """Query of the list."""

    count = Int(load_default=50, validate=validate.Range(1, 500))


greeting = Dumper(HelloGreetingSchema)
