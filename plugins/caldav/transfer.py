"""Files in and out: .ics and .vcf, a Radicale folder, feeds."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError, PageNotFound
from atrio.plugins.accounts.api import get_user

from . import holdings, places, queries, services
from .holdings import NAME, Holding, Seen
from .places import ADDRESSBOOK, CALENDAR, Place
from .services import CannotKeep, Entry, Held
from .texts import Unreadable, decode, join_calendar, join_cards, split, with_uid

ENDINGS = {CALENDAR: ".ics", ADDRESSBOOK: ".vcf"}
MEDIA = {CALENDAR: "text/calendar", ADDRESSBOOK: "text/vcard"}
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
OUTCOMES = ("created", "modified", "unchanged", "refused")


def read_file(data: bytes, tag: str) -> tuple[list[Entry], int]:
    """Return the entries of a file and how many are refused; Unreadable for no calendar and no card at all.

    An entry without a UID gets one made of its text, so that importing a file again changes nothing.
    """
    from .adapters.entries import entry_of

    found, refused = [], 0
    for uid, given in split(decode(data, None)[0], tag):
        text = given if uid else with_uid(given, hashlib.sha256(given.encode()).hexdigest()[:32], tag)
        try:
            found.append(entry_of(text, tag))
        except Unreadable:
            refused += 1
    return found, refused


def store(ctx: Context, held: Held, entries: list[Entry]) -> Counter[str]:
    """Store entries; one with a UID that is there takes its place. Returns what became of them."""
    told: Counter[str] = Counter()
    for entry in entries:
        key = services.uid_key(entry.uid)
        there = queries.WITH_UID.first(ctx, collection_id=held.collection_id, uid_key=key) if key else None
        href = there.href if there is not None else name_of(entry.uid, held.tag)
        before = held.seq
        try:
            new = services.put_item(ctx, held, href, entry)
        except CannotKeep:
            told["refused"] += 1
            continue
        told["created" if new else "modified" if held.seq != before else "unchanged"] += 1
    return told


def name_of(uid: str, tag: str) -> str:
    """Return the name under which an imported entry lies."""
    stem = uid if SAFE.fullmatch(uid) else hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()[:40]
    return f"{stem}{ENDINGS[tag]}"


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


@dataclass(frozen=True)
class Found:
    """A collection of a Radicale folder, and where it goes."""

    folder: Path
    place: Place
    tag: str
    props: dict[str, str]


def radicale_collections(ctx: Context, root: Path) -> Iterator[Found | str]:
    """Yield the collections of a folder that Radicale kept, or a line about one that has no place here.

    Two layouts are known: `agenda/user/1`, `addressbook/workspace/2` …, and `<login>/<name>`. Links are passed by.
    """
    from atrio.plugins.accounts.api import by_login

    top = root / "collection-root"
    for described in sorted((top if top.is_dir() else root).rglob(".Radicale.props")):
        folder = described.parent
        parts = folder.relative_to(top if top.is_dir() else root).parts
        if any(p.is_symlink() for p in (folder, *folder.parents)) or len(parts) < 2:
            continue
        props = _props(described)
        place = places.parse("/".join(parts)) if parts[0] in places.TREES else None
        if place is None and len(parts) == 2:
            user = by_login(ctx, parts[0])
            place = None if user is None else places.added(user.user_id, parts[1][: places.NAME_LENGTH])
        tag = props.pop("tag", "") or (place.tag if place is not None else "")
        if place is None or tag not in ENDINGS:
            yield f"{'/'.join(parts)}: no user or space for it, or no calendar and no address book"
            continue
        yield Found(folder, place, tag, props)


def _props(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def radicale_entries(found: Found) -> tuple[list[tuple[str, Entry]], int]:
    """Return (name, entry) of the files of a collection, byte for byte, and how many are refused."""
    from .adapters.entries import entry_of

    entries, refused = [], 0
    for path in sorted(found.folder.iterdir()):
        if path.name.startswith(".") or not path.is_file() or path.is_symlink():
            continue
        try:
            entries.append((path.name, entry_of(path.read_bytes().decode("utf-8"), found.tag)))
        except (Unreadable, UnicodeDecodeError):
            refused += 1
    return entries, refused


def store_collection(ctx: Context, found: Found, entries: list[tuple[str, Entry]]) -> Counter[str]:
    """Store the entries of a collection that Radicale kept, under their names; properties only of a new one."""
    held = services.hold(ctx, found.place)
    if held is None:
        held = services.add_collection(ctx, found.place, found.tag, found.props)
    elif held.seq == 0 and found.props:
        services.set_props(ctx, held, found.props)
    told: Counter[str] = Counter()
    for href, entry in entries:
        before = held.seq
        try:
            new = services.put_item(ctx, held, href, entry)
        except CannotKeep:
            told["refused"] += 1
            continue
        told["created" if new else "modified" if held.seq != before else "unchanged"] += 1
    return told
