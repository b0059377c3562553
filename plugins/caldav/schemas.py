"""Wire shapes of caldav."""

from __future__ import annotations

from marshmallow import fields, validate

from atrio.kernel.http.schema import Dumper, IdList, Int, Schema, Text, one_of

AGENDA_TYPES = ("private", "workspace", "remote")
RESOURCE_TYPES = ("directory", "calendar", "addressbook")
WORDS = r"^([^,]+(,[^,]+)*)?$"


class AgendaSchema(Schema):
    """The address of a calendar, an address book, or the home that holds them."""

    agenda_url = Text()
    with_credentials = fields.Boolean()
    agenda_type = Text(validate=one_of(*AGENDA_TYPES))
    workspace_id = Int(allow_none=True)
    resource_type = Text(validate=one_of(*RESOURCE_TYPES))


class AgendaFilterQuerySchema(Schema):
    """Which addresses are wanted. Ids of spaces leave the private ones out."""

    workspace_ids = IdList(load_default=(), allow_none=True)
    agenda_types = Text(load_default=None, allow_none=True, validate=validate.Regexp(WORDS))
    resource_types = Text(load_default=None, allow_none=True, validate=validate.Regexp(WORDS))


class PreFilledAgendaEventSchema(Schema):
    """What the description of a new event begins with."""

    description = Text(allow_none=True)


class CalendarSchema(Schema):
    """A calendar or an address book in a user's home."""

    name = Text()
    label = Text()
    kind = Text(validate=one_of("calendar", "addressbook"))
    color = Text(allow_none=True)
    workspace_id = Int(allow_none=True)
    is_writable = fields.Boolean()
    url = Text()


class FeedSchema(Schema):
    """The secret address of a calendar; it is told once."""

    url = Text()


class FeedQuerySchema(Schema):
    """The secret part of a feed's address."""

    token = Text(required=True, validate=validate.Length(min=20, max=200))


class RefusedEntrySchema(Schema):
    """An entry of a file that is not taken."""

    index = Int()
    uid = Text()
    reason = Text()


class ImportedSchema(Schema):
    """What became of the entries of a file."""

    created = Int()
    modified = Int()
    unchanged = Int()
    refused = Int()
    refused_entries = fields.List(fields.Nested(RefusedEntrySchema))


agenda = Dumper(AgendaSchema)
calendar = Dumper(CalendarSchema)
pre_filled = Dumper(PreFilledAgendaEventSchema)
feed = Dumper(FeedSchema)
imported = Dumper(
    ImportedSchema, computed={"refused_entries": lambda row: [dict(vars(one)) for one in row.refused_entries]}
)
