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


class EntrySchema(Schema):
    """An entry of a calendar or an address book that was found."""

    kind = Text()
    uid = Text()
    summary = Text()
    description = Text()
    location = Text()
    start = Text(allow_none=True)
    end = Text(allow_none=True)
    workspace_id = Int(allow_none=True)
    modified = Text()
    url = Text()


class EntriesSchema(Schema):
    """One page of entries."""

    entries = fields.List(fields.Nested(EntrySchema))
    total_hits = Int()


class EntriesQuerySchema(Schema):
    """The words that are looked for, and which part of what is found is wanted."""

    search_string = Text(required=True, validate=validate.Length(max=2000))
    page_nb = Int(load_default=1, validate=validate.Range(min=1, max=1_000_000))
    size = Int(load_default=10, validate=validate.Range(min=0, max=1000))


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
entries = Dumper(EntriesSchema, computed={"entries": lambda row: [one._asdict() for one in row.entries]})
imported = Dumper(
    ImportedSchema, computed={"refused_entries": lambda row: [dict(vars(one)) for one in row.refused_entries]}
)
