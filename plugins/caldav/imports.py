"""Files in: .ics and .vcf, a Radicale folder; in slices, so that nobody waits long for a collection.

Each slice is a unit of work of its own. What was stored stays when a later one fails; the same file again goes on
where it ended, since entries are known by their UIDs and the same bytes change nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atrio.kernel.context import Context

from . import places, queries, services
from .places import Place
from .services import CannotKeep, Entry, Held
from .texts import Unreadable, decode, split, with_uid
from .transfer import ENDINGS

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
OUTCOMES = ("created", "modified", "unchanged", "refused")
SLICE = 100
"""Entries that are stored in one unit of work."""
SLICE_BYTES = 4 * 1024 * 1024
NAMED = 100
"""Refused entries that are named."""


@dataclass(frozen=True)
class Ready:
    """An entry that can be stored; `index` counts those of a file from 1, `href` where it has a name already."""

    index: int
    entry: Entry
    href: str | None = None


@dataclass(frozen=True)
class Refused:
    """An entry that is not taken: its number in the file, its UID or name where it has one, and why."""

    index: int
    uid: str
    reason: str


@dataclass
class Report:
    """What became of the entries of a file."""

    told: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, one: Refused) -> None:
        """Count an entry that is not taken, and name it unless too many are named."""
        self.told["refused"] += 1
        if len(self.refused) < NAMED:
            self.refused.append(one)


def read_file(data: bytes, tag: str) -> Iterator[Ready | Refused]:
    """Yield the entries of a file; Unreadable, before the first one, for no calendar and no card at all.

    An entry without a UID gets one made of its text, so that importing a file again changes nothing.
    """
    from .adapters.entries import entry_of

    found = split(decode(data, None)[0], tag)
    for index, (uid, given) in enumerate(found, 1):
        text = given if uid or not given else with_uid(given, hashlib.sha256(given.encode()).hexdigest()[:32], tag)
        try:
            yield Ready(index, entry_of(text, tag))
        except Unreadable as error:
            yield Refused(index, uid, str(error))


def slices(found: Iterable[Ready | Refused], report: Report) -> Iterator[list[Ready]]:
    """Yield entries in slices of bounded number and size; refused ones go into the report."""
    page: list[Ready] = []
    size = 0
    for one in found:
        if isinstance(one, Refused):
            report.refuse(one)
            continue
        page.append(one)
        size += len(one.entry.body)
        if len(page) >= SLICE or size >= SLICE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def store_all(found: Iterable[Ready | Refused], store_slice: Callable[[list[Ready]], Report]) -> Report:
    """Store entries slice by slice; `store_slice` runs a unit of work, again where it lost a race."""
    report = Report()
    for page in slices(found, report):
        done = store_slice(page)
        report.told += done.told
        report.refused += done.refused[: NAMED - len(report.refused)]
    report.refused.sort(key=lambda one: one.index)
    return report


def store(ctx: Context, held: Held, page: Iterable[Ready]) -> Report:
    """Store a slice; an entry without a name whose UID is there takes the place of the one that has it."""
    report = Report()
    for one in page:
        href = one.href or _href_of(ctx, held, one.entry)
        before = held.seq
        try:
            new = services.put_item(ctx, held, href, one.entry)
        except CannotKeep as error:
            report.refuse(Refused(one.index, one.href or one.entry.uid, str(error)))
            continue
        report.told["created" if new else "modified" if held.seq != before else "unchanged"] += 1
    return report


def _href_of(ctx: Context, held: Held, entry: Entry) -> str:
    key = services.uid_key(entry.uid)
    there = queries.WITH_UID.first(ctx, collection_id=held.collection_id, uid_key=key) if key else None
    return there.href if there is not None else name_of(entry.uid, held.tag)


def name_of(uid: str, tag: str) -> str:
    """Return the name under which an imported entry lies."""
    stem = uid if SAFE.fullmatch(uid) else hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()[:40]
    return f"{stem}{ENDINGS[tag]}"


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


def radicale_entries(found: Found) -> Iterator[Ready | Refused]:
    """Yield the files of a collection under their names, byte for byte."""
    from .adapters.entries import entry_of

    files = (path for path in sorted(found.folder.iterdir()) if not path.name.startswith("."))
    for index, path in enumerate((p for p in files if p.is_file() and not p.is_symlink()), 1):
        try:
            yield Ready(index, entry_of(path.read_bytes().decode("utf-8"), found.tag), path.name)
        except (Unreadable, UnicodeDecodeError) as error:
            yield Refused(index, path.name, str(error) if isinstance(error, Unreadable) else "not UTF-8")


def hold_collection(ctx: Context, found: Found) -> Held:
    """Lock the collection that takes what Radicale kept; properties only of a new one."""
    held = services.hold(ctx, found.place)
    if held is None:
        return services.add_collection(ctx, found.place, found.tag, found.props)
    if held.seq == 0 and found.props:
        services.set_props(ctx, held, found.props)
    return held
