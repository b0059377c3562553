"""Declarations of the plugin mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import Event, KernelError, Subscription

MANIFEST = Manifest(
    name="mentions",
    summary="Mentions of people in texts",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the event."""
    from .events import EVENTS

    return list(EVENTS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Look at each text that is saved."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)
