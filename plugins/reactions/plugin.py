"""Declarations of the plugin reactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import Event, KernelError, Route
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="reactions",
    summary="Reactions to contents",
    offers={"live": ["register_live_events"]},
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Reaction

    return [Reaction]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("reactions", "atrio.plugins.reactions.migrations")


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the events."""
    from .events import EVENTS

    return list(EVENTS)


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)
