"""Events and who hears them: a typed dict, not hooks, because this runs on every write.

An event is a frozen dataclass of ids and primitives, named in the past tense. It has one meaning in every
mode: `before_commit` subscribers keep invariants and projections inside the transaction, `after_commit`
subscribers tell the world and may be lost in a crash, `job` subscribers are durable.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import BootError, KernelError

if TYPE_CHECKING:
    from .plugins import PluginRecord

log = logging.getLogger("atrio.events")


@dataclass(frozen=True)
class Event:
    """Base of all events; `name` is stable on disk (`noun.verb_in_the_past`)."""

    name: ClassVar[str] = ""


class Phase(enum.StrEnum):
    """When a subscriber hears an event."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    JOB = "job"


class Stage(enum.IntEnum):
    """The order of before_commit subscribers.

    PUBLISH comes last, once for the whole unit, when nothing can be refused any more: its handler gets the list
    of all events that it hears and may emit none.
    """

    VALIDATE = 0
    PROJECT = 1
    PUBLISH = 2


@dataclass(frozen=True)
class Subscription:
    """One reaction to one kind of event.

    `handler` is called as (ctx, event) in before_commit and job, as (kernel, event) in after_commit, as
    (ctx, events) in the stage PUBLISH. `name`
    is stable on disk for jobs: `<plugin>.<verb>`. `vetoes` are the errors with which a before_commit
    subscriber may refuse the unit. `lease_seconds` overrides the config for a slow job. `when` is asked first,
    with the event alone: an event that it turns down costs neither a savepoint nor a job.
    """

    event: type[Event]
    handler: Callable[[Any, Any], Any]
    phase: Phase = Phase.AFTER_COMMIT
    stage: Stage = Stage.PROJECT
    name: str = ""
    vetoes: tuple[type[KernelError], ...] = ()
    lease_seconds: int | None = None
    attempts: int = 6
    when: Callable[[Any], bool] | None = None


@dataclass
class Bound:
    """A subscription with the plugin that made it."""

    owner: PluginRecord | None
    subscription: Subscription
    faults: int = 0

    def wants(self, event: Event) -> bool:
        """Tell whether the subscriber is to hear this event: it runs and it did not turn it down beforehand."""
        if self.owner is not None and not self.owner.enabled:
            return False
        try:
            return self.subscription.when is None or self.subscription.when(event)
        except Exception:
            log.exception(
                "a condition of %s failed on %s", self.owner.name if self.owner else "kernel", event.name
            )
            return True  # in doubt the handler decides


class Bus:
    """The subscriptions in force, looked up by the type of the event."""

    def __init__(self) -> None:
        self.events: dict[str, type[Event]] = {}
        self.jobs: dict[str, Bound] = {}
        self.publishers: list[Bound] = []
        self._owners: dict[str, str] = {}
        self._bound: list[Bound] = []
        self._cache: dict[tuple[type[Event], Phase], list[Bound]] = {}

    def declare(self, owner: str, event: type[Event]) -> None:
        """Register an event class; a name used twice is a boot error that names both owners."""
        if not event.name:
            raise BootError(f"{owner}: event {event.__name__} has no name")
        if not dataclasses.is_dataclass(event):
            raise BootError(f"{owner}: event {event.__name__} is no dataclass")
        if event.name in self.events and self.events[event.name] is not event:
            raise BootError(f"event {event.name!r} is declared by {self._owners[event.name]} and {owner}")
        self.events[event.name] = event
        self._owners[event.name] = owner

    def subscribe(self, owner: PluginRecord | None, subscription: Subscription) -> None:
        """Bind a subscription; a job needs a name of its own."""
        bound = Bound(owner, subscription)
        if subscription.phase is Phase.JOB:
            who = owner.name if owner else "kernel"
            if not subscription.name:
                raise BootError(f"{who}: a job subscription to {subscription.event.__name__} has no name")
            if subscription.name in self.jobs:
                first = self.jobs[subscription.name].owner
                raise BootError(
                    f"job {subscription.name!r} is declared by {first.name if first else 'kernel'} and {who}"
                )
            self.jobs[subscription.name] = bound
        self._bound.append(bound)
        self._cache.clear()
        if subscription.phase is Phase.BEFORE_COMMIT and subscription.stage is Stage.PUBLISH:
            self.publishers.append(bound)

    def heard_by(self, event: type[Event], phase: Phase) -> list[Bound]:
        """Return the subscriptions to this event or one of its bases, in order of stage."""
        key = (event, phase)
        found = self._cache.get(key)
        if found is None:
            found = [
                b for b in self._bound
                if b.subscription.phase is phase and issubclass(event, b.subscription.event)
            ]  # fmt: skip
            found.sort(key=lambda b: b.subscription.stage)
            self._cache[key] = found
        return found

    def vetoes_on(self, event: type[Event]) -> list[type[KernelError]]:
        """Return the errors with which running plugins may refuse a unit that emits this event."""
        bound = self.heard_by(event, Phase.BEFORE_COMMIT)
        return [e for b in bound if b.owner is None or b.owner.enabled for e in b.subscription.vetoes]

    def after_commit(self, kernel: Any, events: Iterable[Event]) -> None:
        """Call each after_commit subscriber in its own try: the rows are safe, nobody else suffers."""
        for event in events:
            for bound in self.heard_by(type(event), Phase.AFTER_COMMIT):
                if not bound.wants(event):
                    continue
                try:
                    bound.subscription.handler(kernel, event)
                except Exception:
                    log.exception(
                        "after_commit subscriber %s of %s failed on %s",
                        getattr(bound.subscription.handler, "__qualname__", "?"),
                        bound.owner.name if bound.owner else "kernel", event.name,
                    )  # fmt: skip
                    if kernel is not None:
                        kernel.note_fault(bound.owner)
