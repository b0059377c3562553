"""Events of hello."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class GreetingSent(Event):
    """A user sent a greeting to another."""

    name: ClassVar[str] = "hello.greeting_sent"
    greeting_id: int
    user_id: int
    sender_id: int | None


EVENTS = (GreetingSent,)
