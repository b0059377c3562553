"""Declarations of the plugin calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, Event, KernelError, Route
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="calls",
    summary="Calls between two users, on a conference server",
    offers={"live": ["register_live_events"]},
    requires=("accounts",),
    default_enabled=False,
)
"""Calls need a conference server, so enabling the plugin is the switch: without it there is no route."""


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [calls]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the address of a conference server."""
    from .config import CallsConfig

    url = config[CallsConfig].jitsi_url
    return None if url.startswith(("https://", "http://")) else "calls.jitsi_url is no http or https address"


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Call

    return [Call]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("calls", "atrio.plugins.calls.migrations")


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


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients that calls are on, and how many milliseconds they let it ring."""
    from .config import CallsConfig

    return {
        "call__enabled": True,
        "call__unanswered_timeout": config[CallsConfig].unanswered_timeout * 1000,
    }


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)
