"""Events of reactions; they carry the whole reaction, which is gone when a deletion is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class ReactionEvent(Event):
    """What both events carry; `created` is in microseconds since the epoch."""

    name: ClassVar[str] = "reaction"
    reaction_id: int
    content_id: int
    space_id: int
    user_id: int
    value: str
    created: int


@dataclass(frozen=True)
class ReactionCreated(ReactionEvent):
    """A user reacted to a content."""

    name: ClassVar[str] = "reaction.created"


@dataclass(frozen=True)
class ReactionDeleted(ReactionEvent):
    """A reaction was taken back, or taken away by a workspace-manager."""

    name: ClassVar[str] = "reaction.deleted"


EVENTS = (ReactionCreated, ReactionDeleted)
