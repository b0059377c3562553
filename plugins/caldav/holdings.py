"""Collections as one user sees them: which he has, what he may do there, and what they are called."""

from __future__ import annotations

import colorsys
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.spaces.api import LEVELS, agenda_space, agenda_spaces

from . import places, queries
from .contributed import Contribution, all_in_force, in_force, place_of
from .errors import CaldavNotAuthorized, SpaceAgendaDisabled
from .places import ADDRESSBOOK, CALENDAR, Place
from .texts import plain, xml_safe

NAME, COLOUR = "D:displayname", "ICAL:calendar-color"
DESCRIPTIONS = {CALENDAR: "C:calendar-description", ADDRESSBOOK: "CR:addressbook-description"}
COMPONENTS = "C:supported-calendar-component-set"
READ, WRITE, MANAGE, OWN = 1, 2, 4, 8
"""Levels: read; write entries; set properties too; an own collection."""


@dataclass(frozen=True)
class Holding:
    """A collection with what one user may do in it. `row` is None until the first write into it."""

    place: Place
    level: int
    row: Any = None
    label: str = ""
    description: str = ""
    given: Contribution | None = None

    @property
    def tag(self) -> str:
        """VCALENDAR or VADDRESSBOOK; empty for a name that no collection has."""
        return self.place.tag or (self.row.tag if self.row is not None else "")

    @property
    def collection_id(self) -> int:
        """The id of the row, 0 until there is one."""
        return 0 if self.row is None else int(self.row.collection_id)

    @property
    def exists(self) -> bool:
        """Tell whether there is such a collection."""
        return self.row is not None or not self.place.added

    @property
    def version(self) -> str:
        """What changes with every write: the tag of the collection and the end of its sync-token."""
        return "0-0" if self.row is None else f"{self.row.collection_id}-{self.row.seq}"

    def given_props(self) -> dict[str, str]:
        """Return what clients set."""
        return {} if self.row is None else dict(json.loads(self.row.props))

    def default_props(self) -> dict[str, str]:
        """Return what holds unless a client sets it: name, description and colour follow the user or the space."""
        found = {"tag": self.tag}
        if self.place.added:
            return found
        found |= {NAME: xml_safe(self.label), DESCRIPTIONS[self.tag]: self.description}
        if self.tag == CALENDAR:
            found |= {COLOUR: colour_of(self.label), COMPONENTS: "VEVENT,VTODO,VJOURNAL"}
        if self.given is not None and self.given.color:
            found[COLOUR] = self.given.color
        if self.given is not None and self.given.components and self.tag == CALENDAR:
            found[COMPONENTS] = self.given.components
        return found

    def props(self) -> dict[str, str]:
        """Return all properties, by the prefixed names of the protocol library."""
        return self.default_props() | self.given_props()


@dataclass
class Seen:
    """Who asks, and the spaces and rows that this unit has looked up already."""

    user_id: int
    public_name: str
    found: dict[str, Holding] = field(default_factory=dict)


def colour_of(name: str) -> str:
    """Return a colour that belongs to a name: `#rrggbb`, dark enough for white letters."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    red, green, blue = colorsys.hls_to_rgb(digest[0] / 256, 0.38 + digest[1] / 2560, 0.45 + digest[2] / 1024)
    return f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"


def _level(role: int) -> int:
    if role >= LEVELS["content-manager"]:
        return MANAGE
    return WRITE if role >= LEVELS["contributor"] else READ


def find(ctx: Context, seen: Seen, place: Place) -> Holding:
    """Return a collection as the user sees it.

    CaldavNotAuthorized (403/5001) for another's and for one of a space in which he is no member, there or not;
    SpaceAgendaDisabled (404/2051) for a member where it is switched off.
    """
    if place.home is not None and place.home != seen.user_id:
        raise CaldavNotAuthorized("not your home")
    if place.user_id is not None and place.user_id != seen.user_id:
        raise CaldavNotAuthorized("not yours")
    given = in_force(ctx.kernel, place.word)
    if given is not None:
        place = replace(place, tag=given.tag)
    known = seen.found.get(place.key)
    if known is not None:
        return replace(known, place=place)
    if place.space_id is not None:
        space = agenda_space(ctx, place.space_id, seen.user_id)
        if space is None:
            raise CaldavNotAuthorized("not a member")
        if not space.agenda_enabled:
            raise SpaceAgendaDisabled
        holding = _of_space(place, space, queries.BY_PATH.first(ctx, path=place.key))
    else:
        label = seen.public_name if given is None else given.label
        holding = Holding(place, OWN, queries.BY_PATH.first(ctx, path=place.key), label, given=given)
    seen.found[place.key] = holding
    return holding


def _of_space(place: Place, space: Any, row: Any) -> Holding:
    return Holding(place, _level(space.role), row, space.label, plain(space.description or ""))


def home(ctx: Context, seen: Seen) -> list[Holding]:
    """Return what lies in a user's home: his own, what he added, then those of his spaces by label."""
    me = seen.user_id
    rows = {row.path: row for row in queries.OF_USER.all(ctx, user_id=me)}
    mine: list[tuple[Place, Contribution | None]] = [
        (places.of_user(me, CALENDAR), None),
        (places.of_user(me, ADDRESSBOOK), None),
    ]
    mine += [(place_of(me, given), given) for given in all_in_force(ctx.kernel)]
    known, names = {place.key for place, _ in mine}, {place.name for place, _ in mine}
    for path in rows:  # what a plugin contributed that is off now begins with a slash
        name = path.partition("/")[2]
        if path not in known and name not in names and not name.startswith("/"):
            mine.append((places.added(me, name), None))
    found = [
        Holding(place, OWN, rows.get(place.key), given.label if given else seen.public_name, given=given)
        for place, given in mine
    ]
    spaces = agenda_spaces(ctx, me)
    shared = {row.path: row for row in queries.of_spaces(ctx, [s.space_id for s in spaces])}
    for space in spaces:
        for tag in (CALENDAR, ADDRESSBOOK):
            place = places.of_space(space.space_id, tag, me)
            found.append(_of_space(place, space, shared.get(place.key)))
    seen.found |= {holding.place.key: holding for holding in found}
    return found
