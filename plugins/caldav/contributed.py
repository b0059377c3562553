"""Collections that plugins contribute: declared by `register_collections`, the list of to-dos among them.

What a user may see there depends on much that is not ours, so nothing is kept up to date by events: whoever asks
has the collection compared with what there is, and only differences are written.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrio.kernel.context import SYSTEM, Actor, Context
from atrio.kernel.errors import BootError, KernelError
from atrio.kernel.http.response import Response

from . import places, queries, services
from .answers import XML, failed
from .conditions import Conditions
from .places import KINDS, Place
from .services import CannotKeep, Entry, Held
from .texts import Unreadable, decode

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel
    from atrio.kernel.plugins import PluginRecord

log = logging.getLogger("atrio.caldav")
REQUIRED, OPTIONAL = {"name", "kind", "label", "entries"}, {"color", "components", "write", "delete"}
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
MOST = 20_000
"""Entries of a contributed collection that are looked at."""
Wanted = dict[str, tuple[str, Callable[[], Entry]]]
"""ETag and maker of each entry, by name."""


@dataclass(frozen=True)
class Contribution:
    """A collection that everybody has, and who tells what is in it."""

    word: str
    tag: str
    label: str
    wanted: Callable[[Context, int], Wanted]
    color: str | None = None
    components: str | None = None
    write: Callable[[Context, int, str, str], None] | None = None
    delete: Callable[[Context, int, str], None] | None = None
    owner: PluginRecord | None = None


def told_by(record: PluginRecord, given: Mapping[str, Any]) -> Contribution:
    """Return what a plugin declared; BootError for what cannot be."""
    wrong = (REQUIRED - given.keys()) | (given.keys() - REQUIRED - OPTIONAL)
    if wrong:
        raise BootError(f"a collection of {record.name} lacks or has a key too many: {', '.join(sorted(wrong))}")
    name, kind = str(given["name"]), given["kind"]
    if not NAME.fullmatch(name) or name in places.RESERVED:
        raise BootError(f"{name!r} of {record.name} is no name for a collection")
    if kind not in KINDS:
        raise BootError(f"a collection of {record.name} is neither a calendar nor an address book")
    tag = KINDS[kind]

    def wanted(ctx: Context, user_id: int) -> Wanted:
        return _texts(given["entries"](ctx, user_id), tag)

    return Contribution(
        name, tag, str(given["label"]), wanted, given.get("color"), given.get("components"), given.get("write"),
        given.get("delete"), record,
    )  # fmt: skip


def _texts(entries: Iterable[Mapping[str, Any]], tag: str) -> Wanted:
    from .adapters.entries import entry_of

    found: Wanted = {}
    for one in entries:
        name, text = str(one["name"]), str(one["text"])
        if len(found) >= MOST:
            log.warning("a contributed collection has more than %d entries; the rest is left out", MOST)
            break
        etag = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        found[name] = etag, lambda text=text: entry_of(text, tag)  # type: ignore[misc]
    return found


def contributions(kernel: Kernel) -> Mapping[str, Contribution]:
    """Return the contributed collections in force, by name."""
    return kernel.memo("caldav.collections", lambda: _collect(kernel))


def _collect(kernel: Kernel) -> Mapping[str, Contribution]:
    from .todos import TODOS

    found = {TODOS.word: TODOS}
    for record in kernel.records:
        if not record.enabled:
            continue
        try:
            mine = [told_by(record, given) for given in kernel.ask(record, "register_collections") or ()]
            names = [one.word for one in mine]
            if len(set(names)) < len(names) or found.keys() & set(names):
                raise BootError(f"two plugins contribute a collection named {', '.join(names)}")
        except Exception:
            log.exception("the collections of %s are left out", record.name)
            kernel.note_fault(record)
        else:
            found |= {one.word: one for one in mine}
    return found


def in_force(kernel: Kernel, word: str) -> Contribution | None:
    """Return a contributed collection by name; None where nobody contributes it now."""
    found = contributions(kernel).get(word) if word else None
    return found if found is not None and (found.owner is None or found.owner.enabled) else None


def all_in_force(kernel: Kernel) -> list[Contribution]:
    """Return the contributed collections, in the order of their declaration."""
    return [one for word in contributions(kernel) if (one := in_force(kernel, word)) is not None]


def place_of(user_id: int, given: Contribution) -> Place:
    """Return where a contributed collection lies in a user's home."""
    return places.contributed(user_id, given.word, given.tag)


def _differences(ctx: Context, given: Contribution, user_id: int) -> tuple[Wanted, list[str]]:
    """Return what must be stored and what must go, by name."""
    wanted = given.wanted(ctx, user_id)
    row = queries.BY_PATH.first(ctx, path=place_of(user_id, given).key)
    there = {} if row is None else {r.href: r.etag for r in queries.TAGS.all(ctx, collection_id=row.collection_id)}
    changed = {href: one for href, one in wanted.items() if there.get(href) != one[0]}
    return changed, [href for href in there if href not in wanted]


def renew(kernel: Kernel, user_id: int, word: str | None = None, *, actor: Actor = SYSTEM) -> None:
    """Bring a user's contributed collections, or one of them, up to date; three statements where nothing differs.

    What a plugin raises is logged and leaves its collection as it was.
    """
    for given in all_in_force(kernel):
        if word not in (None, given.word):
            continue
        try:
            _renew(kernel, actor, user_id, given)
        except Exception:
            if given.owner is None:
                raise
            log.exception("the collection %s of %s could not be renewed", given.word, given.owner.name)
            kernel.note_fault(given.owner)


def _renew(kernel: Kernel, actor: Actor, user_id: int, given: Contribution) -> None:
    changed, gone = kernel.run(lambda ctx: _differences(ctx, given, user_id), writes=False, actor=actor)
    if changed or gone:
        kernel.run(lambda ctx: _write(ctx, given, user_id), actor=actor)


def _write(ctx: Context, given: Contribution, user_id: int) -> None:
    held = services.hold(ctx, place_of(user_id, given))
    assert held is not None, "everybody has this list"
    changed, gone = _differences(ctx, given, user_id)
    for href, (_, make) in changed.items():
        _put(ctx, held, given, href, make)
    for href in gone:
        services.delete_item(ctx, held, href, tell=False)


def _put(ctx: Context, held: Held, given: Contribution, href: str, make: Callable[[], Entry]) -> None:
    try:
        services.put_item(ctx, held, href, make(), tell=False)  # whose it is has told it
    except (Unreadable, CannotKeep) as error:
        log.warning("the entry %r of the collection %s is left out: %s", href, given.word, error)


def change(
    kernel: Kernel, actor: Actor, given: Contribution, href: str, conditions: Conditions, body: bytes | None
) -> Response:  # fmt: skip
    """Hand over what a client saved, or that it deleted (`body` None); no ETag, since something else is stored."""
    try:
        return kernel.run(lambda ctx: _change(ctx, int(actor.id or 0), given, href, conditions, body), actor=actor)
    except KernelError as error:
        status = 404 if error.status == 400 else error.status
        return Response(status, b"There is no such entry.\n", [], "text/plain")
    except ValueError as error:
        return Response(403, failed(str(error)), [], XML)


def _change(
    ctx: Context, user_id: int, given: Contribution, href: str, conditions: Conditions, body: bytes | None
) -> Response:  # fmt: skip
    held = services.hold(ctx, place_of(user_id, given))
    assert held is not None, "everybody has this list"
    row = queries.ONE.first(ctx, collection_id=held.collection_id, href=href)
    if body is None and row is None:
        return Response(404, b"There is no such entry.\n", [], "text/plain")
    if conditions.fails(None if row is None else row.etag):
        return Response(412, b"The entry has changed.\n", [], "text/plain")
    if body is None:
        assert given.delete is not None, "the door lets nobody delete here"
        given.delete(ctx, user_id, href)
    else:
        assert given.write is not None, "the door lets nobody write here"
        given.write(ctx, user_id, href, decode(body, None)[0])
    _write(ctx, given, user_id)
    return Response(204)
