"""Events of caldav."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class CollectionEvent(Event):
    """What all events tell: a user's or a space's collection, and whether it is a calendar or an address book."""

    name: ClassVar[str] = "calendar"
    collection_id: int
    user_id: int | None
    space_id: int | None
    kind: str


@dataclass(frozen=True)
class CollectionCreated(CollectionEvent):
    """A user added a calendar or an address book to his own."""

    name: ClassVar[str] = "calendar.created"


@dataclass(frozen=True)
class CollectionModified(CollectionEvent):
    """The name, the colour or another property of a collection changed."""

    name: ClassVar[str] = "calendar.modified"


@dataclass(frozen=True)
class CollectionDeleted(CollectionEvent):
    """A user deleted a collection of his own, with everything in it."""

    name: ClassVar[str] = "calendar.deleted"


@dataclass(frozen=True)
class ItemEvent(CollectionEvent):
    """What events of one entry tell; `component` is VEVENT, VTODO, VJOURNAL or VCARD."""

    name: ClassVar[str] = "calendar_item"
    href: str
    uid: str
    component: str


@dataclass(frozen=True)
class ItemCreated(ItemEvent):
    """An event, a to-do, a journal entry or a card was created."""

    name: ClassVar[str] = "calendar_item.created"


@dataclass(frozen=True)
class ItemModified(ItemEvent):
    """An entry has another text."""

    name: ClassVar[str] = "calendar_item.modified"


@dataclass(frozen=True)
class ItemDeleted(ItemEvent):
    """An entry was deleted, or moved to another collection."""

    name: ClassVar[str] = "calendar_item.deleted"


EVENTS = (CollectionCreated, CollectionModified, CollectionDeleted, ItemCreated, ItemModified, ItemDeleted)
