"""What the plugins declared: which events are told, by whom, as which types."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atrio.kernel.errors import BootError
from atrio.kernel.events import Event

from .kinds import kind_of

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel
    from atrio.kernel.plugins import PluginRecord

log = logging.getLogger("atrio.live")


@dataclass(frozen=True)
class Teller:
    """One declaration with the plugin that made it."""

    owner: PluginRecord | None
    event: type[Event]
    types: tuple[str, ...]
    messages: Callable[[Context, Any], Iterable[Mapping[str, Any]]]


class Tellers:
    """The declarations of all running plugins, by event class."""

    def __init__(self, tellers: Iterable[Teller]) -> None:
        self._by_event: dict[type[Event], list[Teller]] = {}
        self._found: dict[type[Event], tuple[Teller, ...]] = {}
        self.entities: set[str] = set()
        numbers: dict[int, str] = {}
        for teller in tellers:
            self._by_event.setdefault(teller.event, []).append(teller)
            for name in teller.types:
                twin = numbers.setdefault(kind_of(name), name)
                if twin != name:
                    raise BootError(f"event types {twin!r} and {name!r} have the same number; rename one")
                self.entities.add(name.partition(".")[0])

    def of(self, event: type[Event]) -> tuple[Teller, ...]:
        """Return who tells an event: those that named its class, else those of its nearest declared base."""
        found = self._found.get(event)
        if found is None:
            found = next((tuple(self._by_event[c]) for c in event.__mro__ if c in self._by_event), ())
            self._found[event] = found
        return found


def tellers_of(kernel: Kernel) -> Tellers:
    """Return the declarations in force; read once, and anew when a plugin was taken out."""
    return kernel.memo("live.tellers", lambda: Tellers(_collect(kernel)))


def _collect(kernel: Kernel) -> Iterable[Teller]:
    for record in kernel.records:
        if not record.enabled:
            continue
        try:
            given = kernel.ask(record, "register_live_events") or ()
            for item in given:
                yield Teller(record, item["event"], tuple(item["types"]), item["messages"])
        except Exception:
            if record.essential:
                raise
            log.exception("the live events of %s are left out", record.name)
            kernel.note_fault(record)
