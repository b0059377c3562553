"""Events of calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class CallEvent(Event):
    """What both events carry."""

    name: ClassVar[str] = "user_call"
    call_id: int
    caller_id: int
    callee_id: int
    state: str


@dataclass(frozen=True)
class CallCreated(CallEvent):
    """A user calls another."""

    name: ClassVar[str] = "user_call.created"


@dataclass(frozen=True)
class CallModified(CallEvent):
    """A call was answered, turned down or given up."""

    name: ClassVar[str] = "user_call.modified"


EVENTS = (CallCreated, CallModified)
