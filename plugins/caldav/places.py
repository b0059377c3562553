"""Addresses of collections: what a path below the mount stands for. Pure; nothing here asks the database.

A collection has up to two addresses: in the home of whoever reads it (`/user_1/space_2_calendar/`), and one by
itself (`/agenda/workspace/2/`). Answers repeat the form in which they were asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

CALENDAR, ADDRESSBOOK = "VCALENDAR", "VADDRESSBOOK"
KINDS = {"calendar": CALENDAR, "addressbook": ADDRESSBOOK}
TREES = {"agenda": CALENDAR, "addressbook": ADDRESSBOOK}
WORDS = {tag: word for word, tag in KINDS.items()}
NUMBER = r"([1-9][0-9]{0,17})"
PRINCIPAL = re.compile(rf"user_{NUMBER}")
NAMED = re.compile(rf"(user|space)_{NUMBER}_(calendar|addressbook)")
CONTRIBUTED = re.compile(rf"user_{NUMBER}_([a-z][a-z0-9-]{{0,30}})")
TODOS = "todos"
RESERVED = frozenset({*KINDS, TODOS})
READS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "LOCK", "UNLOCK"})
"""Methods that change nothing."""
NAME_LENGTH = 200
"""Longest name of a collection that a user adds, in characters."""


@dataclass(frozen=True)
class Place:
    """What a path means. `home` is the user below whose principal it was asked; `path` has no slashes around."""

    kind: Literal["root", "principal", "collection"]
    path: str = ""
    href: str | None = None
    home: int | None = None
    user_id: int | None = None
    space_id: int | None = None
    tag: str = ""
    name: str = ""
    word: str = ""
    """The name by which a plugin may contribute it."""

    @property
    def key(self) -> str:
        """What the collection is named by in its row, whichever address was asked."""
        if self.word not in ("", TODOS) and self.tag:
            return f"user_{self.user_id}//{self.word}"  # a name that nobody can give to a collection of his own
        return f"space_{self.space_id}/{self.name}" if self.space_id else f"user_{self.user_id}/{self.name}"

    @property
    def added(self) -> bool:
        """True for a collection that a user added to his own: it may be deleted, and its row must be there."""
        return not self.tag


ROOT = Place("root")


def parse(path: str) -> Place | None:
    """Return what a decoded path below the mount means, None for one that can mean nothing."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return ROOT
    if parts[0] in TREES:
        return _in_tree(parts)
    found = PRINCIPAL.fullmatch(parts[0])
    if found is None or len(parts) > 3:
        return None
    home = int(found.group(1))
    if len(parts) == 1:
        return Place("principal", parts[0], home=home, user_id=home)
    return _in_home(home, parts)


def _in_tree(parts: list[str]) -> Place | None:
    if not 3 <= len(parts) <= 4 or parts[1] not in ("user", "workspace") or not re.fullmatch(NUMBER, parts[2]):
        return None
    number, href = int(parts[2]), parts[3] if len(parts) == 4 else None
    place = of_user(number, TREES[parts[0]]) if parts[1] == "user" else of_space(number, TREES[parts[0]])
    return Place(
        "collection", "/".join(parts[:3]), href, None, place.user_id, place.space_id, place.tag, place.name
    )


def _in_home(home: int, parts: list[str]) -> Place | None:
    href = parts[2] if len(parts) == 3 else None
    path, name = "/".join(parts[:2]), parts[1]
    found = NAMED.fullmatch(name)
    if found is None:
        return _unnamed(home, path, name, href)
    owner, number, tag = found.group(1), int(found.group(2)), KINDS[found.group(3)]
    if owner == "space":
        return Place("collection", path, href, home, None, number, tag, name)
    return Place("collection", path, href, home, number, None, tag, name)


def _unnamed(home: int, path: str, name: str, href: str | None) -> Place | None:
    """Return a collection that a user may have added, or a plugin contributes."""
    if len(name) > NAME_LENGTH:
        return None
    given = CONTRIBUTED.fullmatch(name)
    if given is not None and given.group(2) == TODOS:
        return Place("collection", path, href, home, int(given.group(1)), None, CALENDAR, name, TODOS)
    word = given.group(2) if given is not None and int(given.group(1)) == home else ""
    return Place("collection", path, href, home, home, None, "", name, word)


def of_user(user_id: int, tag: str) -> Place:
    """Return a user's own calendar or address book, as it lies in his home."""
    name = f"user_{user_id}_{WORDS[tag]}"
    return Place("collection", f"user_{user_id}/{name}", None, user_id, user_id, None, tag, name)


def of_space(space_id: int, tag: str, home: int | None = None) -> Place:
    """Return the calendar or address book of a space, as it lies in the home of a member."""
    name = f"space_{space_id}_{WORDS[tag]}"
    return Place("collection", f"user_{home}/{name}", None, home, None, space_id, tag, name)


def contributed(user_id: int, word: str, tag: str) -> Place:
    """Return a collection of a user that a plugin contributes."""
    name = f"user_{user_id}_{word}"
    return Place("collection", f"user_{user_id}/{name}", None, user_id, user_id, None, tag, name, word)


def of_row(home: int, key: str) -> Place | None:
    """Return the collection of a row, given its key, as it lies in a home."""
    name = key.partition("/")[2]
    return parse(f"user_{home}/user_{home}_{name[1:]}" if name.startswith("/") else f"user_{home}/{name}")


def added(user_id: int, name: str) -> Place:
    """Return a collection that a user added to his own."""
    return Place("collection", f"user_{user_id}/{name}", None, user_id, user_id, None, "", name)


def own_address(place: Place) -> str:
    """Return the address, below the mount, by which clients of the compatible API name a collection."""
    tree = "agenda" if place.tag == CALENDAR else "addressbook"
    return f"/{tree}/workspace/{place.space_id}/" if place.space_id else f"/{tree}/user/{place.user_id}/"
