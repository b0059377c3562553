"""Declarations of the plugin mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import Event, KernelError, Subscription

MANIFEST = Manifest(
    name="mentions",
    summary="Mentions of people in texts",
    offers={"live": ["register_live_events"], "mail": ["register_mail_notices"]},
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


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)


@hookimpl(optionalhook=True)
def register_mail_notices() -> list[Mapping[str, Any]]:
    """Declare what mail tells of the event."""
    from .mail import MAIL_NOTICES

    return list(MAIL_NOTICES)
