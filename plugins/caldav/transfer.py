"""Files out: .ics and .vcf, feeds."""

from __future__ import annotations

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


def fed(ctx: Context, token: str) -> Holding:
    """Return the calendar of a feed, as whoever made it may read it now; PageNotFound otherwise."""
    feed = queries.BY_TOKEN.first(ctx, token_hash=services.token_hash(token))
    row = None if feed is None else queries.BY_ID.first(ctx, collection_id=feed.collection_id)
    if feed is None or row is None:
        raise PageNotFound
    place = places.parse(f"user_{feed.user_id}/{row.path.partition('/')[2]}")
    assert place is not None
    try:
        return holdings.find(ctx, seen_of(ctx, feed.user_id), place)
    except KernelError:
        raise PageNotFound from None
