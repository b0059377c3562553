"""Declarations of the plugin hello. Light: whatever costs time to import is imported inside the hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, Event, KernelError, Route, Subscription, Task
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="hello",
    summary="Greetings between users",
    version="0.1.0",
    requires=("accounts", "spaces", "core_content"),
    offers={"live": ["register_live_events"], "webdav": ["register_dav_trees"]},
    default_enabled=False,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [hello]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Greeting

    return [Greeting]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("hello", "atrio_hello.migrations")


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the event."""
    from .events import EVENTS

    return list(EVENTS)


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Declare one reaction in each phase."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the nightly task."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell; asleep where the plugin live is off."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)


@hookimpl(optionalhook=True)
def register_dav_trees() -> list[Mapping[str, Any]]:
    """Show the greetings of whoever looks as text files."""
    from . import drive

    return [{"name": "Hello", "list": drive.members, "find": drive.find, "read": drive.read}]


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio hello`."""
    from .cli import commands

    cli.add_command(commands)
