"""Files out: .ics and .vcf, feeds."""

from __future__ import annotations

import zlib

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError, PageNotFound
from atrio.plugins.accounts.api import get_user

from . import holdings, places, queries, services
from .holdings import NAME, Holding, Seen
from .places import ADDRESSBOOK, CALENDAR
from .texts import join_calendar, join_cards

ENDINGS = {CALENDAR: ".ics", ADDRESSBOOK: ".vcf"}
MEDIA = {CALENDAR: "text/calendar", ADDRESSBOOK: "text/vcard"}


def export(ctx: Context, holding: Holding) -> str:
    """Return everything in a collection as one file."""
    rows = queries.ALL.all(ctx, collection_id=holding.collection_id) if holding.collection_id else []
    texts = (bytes(row.body).decode("utf-8", "replace") for row in rows)
    if holding.tag == ADDRESSBOOK:
        return join_cards(texts)
    props = holding.props()
    return join_calendar(texts, props.get(NAME, ""), props.get("C:calendar-description", ""))


def seen_of(ctx: Context, user_id: int) -> Seen:
    """Return how a user sees collections; PageNotFound for one who cannot sign in."""
    try:
        row = get_user(ctx, user_id)
    except KernelError:
        row = None
    if row is None or not row.is_active or row.is_deleted:
        raise PageNotFound
    return Seen(user_id, row.public_name)


def etag_of(holding: Holding) -> str:
    """Return the entity tag of a collection as a file: another one when its name changes too."""
    props = holding.props()
    named = f"{props.get(NAME, '')}\0{props.get('C:calendar-description', '')}"
    return f"{holding.version}-{zlib.crc32(named.encode('utf-8', 'replace')):08x}"


def fed(ctx: Context, token: str) -> tuple[int, Holding]:
    """Return who made a feed, and its calendar as he may read it now; PageNotFound otherwise."""
    feed = queries.BY_TOKEN.first(ctx, token_hash=services.token_hash(token))
    row = None if feed is None else queries.BY_ID.first(ctx, collection_id=feed.collection_id)
    if feed is None or row is None:
        raise PageNotFound
    place = places.of_row(feed.user_id, row.path)
    assert place is not None
    try:
        return feed.user_id, holdings.find(ctx, seen_of(ctx, feed.user_id), place)
    except KernelError:
        raise PageNotFound from None
