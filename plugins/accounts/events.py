"""Events of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class UserCreated(Event):
    """An account was created; `notify` asks whoever sends mail to write to its owner."""

    name: ClassVar[str] = "user.created"
    user_id: int
    notify: bool = False


@dataclass(frozen=True)
class UserModified(Event):
    """Something that others see of an account changed; `fields` names it."""

    name: ClassVar[str] = "user.modified"
    user_id: int
    fields: tuple[str, ...] = ()


EVENTS = (UserCreated, UserModified)
