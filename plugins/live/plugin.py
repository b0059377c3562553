"""Declarations of the plugin live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, KernelError, Route, Subscription
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel
    from atrio.kernel.tasks import Task

MANIFEST = Manifest(
    name="live",
    summary="Live messages: event log, inbox of each user, event streams",
    requires=("accounts",),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [live]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to those who have something to tell."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Counter, History, LiveEvent, Message

    return [Counter, LiveEvent, Message, History]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("live", "atrio.plugins.live.migrations")


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Hear what happens."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the jobs."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_live_events() -> list[Mapping[str, Any]]:
    """End streams with the sessions of their users."""
    from .subscribers import LIVE_EVENTS

    return list(LIVE_EVENTS)


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any]:
    """Say how many streams are open in this process."""
    from .hub import hub_of

    return {"streams": hub_of(kernel).count()}


@hookimpl
def on_shutdown(kernel: Kernel) -> None:
    """End the streams."""
    from .hub import hub_of

    hub_of(kernel).close()
