"""Declarations of the plugin tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import Event, KernelError, Route, Subscription
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="tags",
    summary="Tags of spaces and contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
    offers={"live": ["register_live_events"], "search": ["register_searchables"]},
)


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Link, Tag

    return [Tag, Link]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("tags", "atrio.plugins.tags.migrations")


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the events."""
    from .events import EVENTS

    return list(EVENTS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Follow contents that are moved or copied."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


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
def register_searchables() -> list[dict[str, Any]]:
    """Let the search find contents by their tags."""
    from .queries import CARRIED, carriers, counts, names_of

    return [{"field": "tags", "texts": names_of, "carriers": carriers, "counts": counts, "carried": CARRIED}]


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)
