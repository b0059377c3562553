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
class MemberAdded(Event):
    """A user became a member."""

    name: ClassVar[str] = "space.member_added"
    space_id: int
    user_id: int
    role: int


@dataclass(frozen=True)
class MemberModified(Event):
    """A member's role changed."""

    name: ClassVar[str] = "space.member_modified"
    space_id: int
    user_id: int
    role: int


@dataclass(frozen=True)
class MemberRemoved(Event):
    """A user is no longer a member."""

    name: ClassVar[str] = "space.member_removed"
    space_id: int
    user_id: int


EVENTS = (SpaceCreated, MemberAdded, MemberModified, MemberRemoved)
