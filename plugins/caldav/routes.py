"""Routes of caldav: the addresses of calendars, feeds, files in and out."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.errors import NoFileGiven, PageNotFound, TooManyRequests, ValidationFailed
from atrio.kernel.http.downloads import SANDBOX, content_disposition
from atrio.kernel.http.guards import PUBLIC, Guard
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.kernel.http.uploads import UploadLimit
from atrio.plugins.accounts.api import CANDIDATE, OWN, OWN_OR_ADMINISTRATOR, USER, within_limit

from . import agendas, contributed, discovery, found, holdings, imports, places, schemas, services, transfer
from .conditions import Conditions
from .config import CaldavConfig
from .errors import CaldavNotAuthorized, SpaceAgendaDisabled
from .holdings import COLOUR, NAME, WRITE, Holding, Seen
from .places import WORDS
from .texts import Unreadable

GROUP = "Agenda"


class PreFilled(NamedTuple):
    """What a new event begins with."""

    description: str | None


class Listed(NamedTuple):
    """A collection in a home."""

    name: str
    label: str
    kind: str
    color: str | None
    workspace_id: int | None
    is_writable: bool
    url: str


class Imported(NamedTuple):
    """What became of the entries of a file."""

    created: int
    modified: int
    unchanged: int
    refused: int
    refused_entries: list[imports.Refused]


class FeedAddress(NamedTuple):
    """A secret address."""

    url: str


FILE = Answer(shape="any", media="*/*", doc="The file.", also=((304, "Not modified."),))


def list_agendas(ctx: Context, call: Call) -> list[Any]:
    """Return the addresses of a user's calendars: his own, then those of his spaces by label."""
    wanted = agendas.Wanted.of(
        call.query["workspace_ids"] or (), call.query["agenda_types"], call.query["resource_types"]
    )
    return agendas.addresses(ctx, int(ctx.resources["user"].user_id), f"{base_url(ctx.config)}/dav", wanted)


def pre_filled(ctx: Context, call: Call) -> PreFilled:
    """Return what the description of a new event begins with; null where nothing is set."""
    return PreFilled(agendas.pre_filled_text(ctx))


def _seen(ctx: Context) -> Seen:
    return Seen(int(ctx.actor.id or 0), str(getattr(ctx.actor.data, "public_name", "")))


def _find(ctx: Context, name: str) -> Holding:
    place = places.parse(f"user_{ctx.actor.id}/{name}")
    if place is None or place.kind != "collection" or place.href is not None:
        raise PageNotFound
    holding = holdings.find(ctx, _seen(ctx), place)
    if not holding.exists:
        raise PageNotFound
    return holding


def _load(ctx: Context, call: Call) -> None:
    ctx.resources["collection"] = _find(ctx, call.path["name"])


def _may_write(ctx: Context, call: Call) -> None:
    holding = ctx.resources["collection"]
    if holding.level < WRITE or holding.given is not None:
        raise CaldavNotAuthorized("this is not written from files")


COLLECTION = Guard("collection", _load, (PageNotFound, CaldavNotAuthorized, SpaceAgendaDisabled))
"""Loads a collection of the caller's home by the last part of its address."""
MAY_WRITE = Guard("may write", _may_write, (CaldavNotAuthorized,))
ONE = "/api/users/{user_id:int}/calendars/{name}"
MINE = "Calendars"


def _writable(holding: Holding) -> bool:
    return holding.level >= WRITE and (holding.given is None or holding.given.write is not None)


def list_calendars(ctx: Context, call: Call) -> list[Any]:
    """Return what lies in one's home: the own two, those added, those of spaces by label."""
    mount = f"{base_url(ctx.config)}/dav"
    listed = []
    for holding in holdings.home(ctx, _seen(ctx)):
        if holding.place.word == places.TODOS:
            continue
        props = holding.props()
        listed.append(
            Listed(
                holding.place.name, props.get(NAME, holding.place.name), WORDS[holding.tag], props.get(COLOUR),
                holding.place.space_id, _writable(holding), f"{mount}/{quote(holding.place.path)}/",
            )
        )  # fmt: skip
    return listed


def search_entries(ctx: Context, call: Call) -> found.Entries:
    """Find entries of one's own and of one's spaces by words in title, description and place."""
    query = call.query
    return found.find_entries(
        ctx, int(ctx.actor.id or 0), query["search_string"], (query["page_nb"] - 1) * query["size"], query["size"]
    )


def export_calendar(ctx: Context, call: Call) -> Response:
    """Send everything in a collection as one file."""
    holding = _renewed(ctx, call.path["name"], ctx.resources["collection"])
    return _file(holding, transfer.export(ctx, holding), attachment=True)


def _renewed(ctx: Context, name: str, holding: Holding) -> Holding:
    """Return a collection as it is now, after a contributed one was compared with what there is."""
    if holding.given is None:
        return holding
    with ctx.released():
        contributed.renew(ctx.kernel, int(ctx.actor.id or 0), holding.given.word, actor=ctx.actor)
    return _find(ctx, name)


def _file(holding: Holding, text: str, *, attachment: bool) -> Response:
    name = f"{holding.props().get(NAME) or holding.place.name}{transfer.ENDINGS[holding.tag]}"
    headers = [
        ("etag", f'"{transfer.etag_of(holding)}"'), ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"), ("content-security-policy", SANDBOX),
        ("content-disposition", content_disposition(name, attachment=attachment)),
    ]  # fmt: skip
    return Response(200, text.encode("utf-8", "replace"), headers, f"{transfer.MEDIA[holding.tag]}; charset=utf-8")


def import_limit(ctx: Context, call: Call) -> UploadLimit:
    """Return how large an imported file may be."""
    return UploadLimit(ctx.config[CaldavConfig].import_bytes)


def import_file(ctx: Context, call: Call) -> Imported:
    """Read a file into a collection: entries with a UID that is there take its place."""
    upload, holding = call.upload, ctx.resources["collection"]
    if upload is None or upload.blob is None:
        raise NoFileGiven
    actor, name, blob = ctx.actor, call.path["name"], upload.blob

    def act(inner: Context, page: list[imports.Ready]) -> imports.Report:
        again = _find(inner, name)  # a role that changed meanwhile counts
        held = services.hold(inner, again.place) if again.level >= WRITE else None
        if held is None:
            raise CaldavNotAuthorized("readers do not write")
        return imports.store(inner, held, page)

    def store_slice(page: list[imports.Ready]) -> imports.Report:
        return ctx.kernel.run(lambda inner: act(inner, page), actor=actor, request_id=ctx.request_id)

    with ctx.released():  # each slice is a unit of its own; nobody waits for the rest
        try:
            entries = imports.read_file(blob.path.read_bytes(), holding.tag)
            report = imports.store_all(entries, store_slice)
        except Unreadable as error:
            raise ValidationFailed({"files": [str(error)]}) from None
    told = report.told
    return Imported(told["created"], told["modified"], told["unchanged"], told["refused"], report.refused)


def make_feed(ctx: Context, call: Call) -> FeedAddress:
    """Give a calendar a new secret address; the one before ends."""
    holding = ctx.resources["collection"]
    held = services.hold(ctx, holding.place)
    if held is None:
        raise PageNotFound
    token = services.make_feed(ctx, held, int(ctx.actor.id or 0))
    return FeedAddress(f"{base_url(ctx.config)}/api/calendar-feed.ics?token={token}")


def end_feed(ctx: Context, call: Call) -> None:
    """End the secret address of a calendar."""
    services.end_feed(ctx, ctx.resources["collection"].collection_id, int(ctx.actor.id or 0))


def send_feed(ctx: Context, call: Call) -> Response:
    """Send a calendar to whoever knows its secret address, as long as its maker may read it."""
    token = call.query["token"]
    refuse_haste(ctx, call.http.client, services.token_hash(token))
    user_id, holding = transfer.fed(ctx, token)
    if holding.given is not None:
        with ctx.released():
            contributed.renew(ctx.kernel, user_id, holding.given.word)
        user_id, holding = transfer.fed(ctx, token)
    if Conditions.said(None, call.http.headers.get("if-none-match")).is_known(transfer.etag_of(holding)):
        headers = [("etag", f'"{transfer.etag_of(holding)}"'), ("cache-control", "private, no-cache")]
        return Response(304, b"", headers)
    return _file(holding, transfer.export(ctx, holding), attachment=False)


def refuse_haste(ctx: Context, address: str, token_hash: str) -> None:
    """Raise TooManyRequests for who asks for feeds without a pause: by address, and for one feed from anywhere."""
    allowed = ctx.config[CaldavConfig].feed_requests
    if allowed and not (
        within_limit(ctx, "caldav.feed", token_hash, allowed)
        and within_limit(ctx, "caldav.feeds", address, allowed * FEEDS_OF_ONE)
    ):
        raise TooManyRequests("this calendar is asked for too often", headers=[("retry-after", "600")])


FEEDS_OF_ONE = 10
"""Feeds that one address, a company behind it, may read as often as one feed may be read."""


CALENDARS = (
    Route(
        "GET", "/api/users/{user_id:int}/calendars", list_calendars, (OWN,), Answer(schemas.calendar, "list"),
        summary="One's calendars and address books", group=MINE,
    ),
    Route(
        "GET", "/api/users/{user_id:int}/calendar_entries", search_entries, (OWN,),
        Answer(schemas.entries, doc="A page of entries, changed last first."), query=schemas.EntriesQuerySchema,
        summary="Search in one's calendars and address books", group=MINE,
    ),
    Route(
        "GET", f"{ONE}/export", export_calendar, (OWN, COLLECTION), FILE, summary="A collection as one file",
        group=MINE,
    ),
    Route(
        "POST", f"{ONE}/import", import_file, (OWN, COLLECTION, MAY_WRITE),
        Answer(schemas.imported, doc="What became of the entries."), kind="stream", stream=import_limit,
        errors=(NoFileGiven, ValidationFailed), summary="Read an .ics or .vcf file", group=MINE,
    ),
    Route(
        "POST", f"{ONE}/feed", make_feed, (OWN, COLLECTION), Answer(schemas.feed, doc="The address, told once."),
        summary="A new secret address", group=MINE,
    ),
    Route("DELETE", f"{ONE}/feed", end_feed, (OWN, COLLECTION), summary="End the secret address", group=MINE),
    Route(
        "GET", "/api/calendar-feed.ics", send_feed, (PUBLIC,), FILE, query=schemas.FeedQuerySchema,
        errors=(PageNotFound, TooManyRequests), summary="A calendar by its secret address", group=MINE,
    ),
)  # fmt: skip

ROUTES = (
    Route(
        "GET", "/api/users/{user_id:int}/agenda", list_agendas, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.agenda, "list", doc="The addresses."), query=schemas.AgendaFilterQuerySchema,
        summary="Addresses of a user's calendars", group="Users > Agenda",
    ),
    Route(
        "GET", "/api/system/pre-filled-agenda-event", pre_filled, (USER,),
        Answer(schemas.pre_filled, doc="The text."), summary="What a new event begins with", group=GROUP,
    ),
    *CALENDARS,
    *discovery.ROUTES,
)  # fmt: skip
