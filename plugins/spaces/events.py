"""Events of spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class SpaceCreated(Event):
    """A space was created."""

    name: ClassVar[str] = "space.created"
    space_id: int


@dataclass(frozen=True)
class SpaceModified(Event):
    """Something that others see of a space changed; `fields` names it."""

    name: ClassVar[str] = "space.modified"
    space_id: int
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class SpaceTrashed(Event):
    """A space went to the trash; its members stay."""

    name: ClassVar[str] = "space.trashed"
    space_id: int


@dataclass(frozen=True)
class SpaceRestored(Event):
    """A space came back from the trash."""

    name: ClassVar[str] = "space.restored"
    space_id: int


@dataclass(frozen=True)
class SpacePurged(Event):
    """A space is gone for good, with everything in it; only the command line does this."""

    name: ClassVar[str] = "space.purged"
    space_id: int
    label: str


@dataclass(frozen=True)
class MemberAdded(Event):
    """A user became a member; `notification` is how he is told of changes."""

    name: ClassVar[str] = "space.member_added"
    space_id: int
    user_id: int
    role: int
    notification: str


@dataclass(frozen=True)
class MemberModified(Event):
    """A member's role, or how he is told of changes, is another one."""

    name: ClassVar[str] = "space.member_modified"
    space_id: int
    user_id: int
    role: int


@dataclass(frozen=True)
class MemberRemoved(Event):
    """A user is no longer a member; `role` and `notification` are what he had."""

    name: ClassVar[str] = "space.member_removed"
    space_id: int
    user_id: int
    role: int
    notification: str


@dataclass(frozen=True)
class SubscriptionRequested(Event):
    """A user asked to become a member for the first time."""

    name: ClassVar[str] = "space.subscription_requested"
    space_id: int
    user_id: int


@dataclass(frozen=True)
class SubscriptionModified(Event):
    """A request was accepted, rejected, or made again (`pending`)."""

    name: ClassVar[str] = "space.subscription_modified"
    space_id: int
    user_id: int
    state: str


EVENTS = (
    SpaceCreated, SpaceModified, SpaceTrashed, SpaceRestored, SpacePurged, MemberAdded, MemberModified,
    MemberRemoved, SubscriptionRequested, SubscriptionModified,
)  # fmt: skip
