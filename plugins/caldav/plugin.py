"""Declarations of the plugin caldav."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, Event, KernelError, Route, Subscription, Task
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.route import Mount

MANIFEST = Manifest(
    name="caldav",
    summary="Calendars and address books of users and spaces: CalDAV, CardDAV",
    requires=("accounts", "spaces", "system", "core_content"),
    offers={"live": ["register_live_events"]},
)
AGENDA = {"slug": "agenda", "label": "Agenda", "fa_icon": "fas fa-calendar-alt", "hexcolor": "#0b166a"}


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [caldav]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_hookspecs() -> list[Any]:
    """Declare the hook by which plugins contribute collections."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the protocol library, in the line that was tested."""
    from importlib.metadata import PackageNotFoundError, version

    from .agendas import faults
    from .config import CaldavConfig

    try:
        found = version("radicale")
    except PackageNotFoundError:
        return "radicale not installed; type: pip install 'atrio[caldav]'"
    if not found.startswith("3.9."):
        return f"radicale {found} is installed; its interfaces change, 3.9 is needed"
    return faults(config[CaldavConfig].prefilled_event_file)


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Collection, Feed, Item

    return [Collection, Item, Feed]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("caldav", "atrio.plugins.caldav.migrations")


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the events."""
    from .events import EVENTS

    return list(EVENTS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Forget the calendars of a person with the person."""
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


@hookimpl
def register_mounts(kernel: Kernel) -> list[Mount]:
    """Put calendars and address books under /dav."""
    from atrio.kernel.http.route import Mount

    from .door import PREFIX, Door

    return [Mount(PREFIX, Door(kernel), "Calendars and address books (CalDAV, CardDAV).")]


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the nightly task."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio caldav`."""
    from .cli import caldav

    cli.add_command(caldav)


@hookimpl
def register_applications(kernel: Any) -> list[dict[str, Any]]:
    """Tell clients that there are calendars."""
    return [{"order": 80, "script": "agenda", **AGENDA}]


@hookimpl
def register_sidebar_entries() -> list[dict[str, Any]]:
    """Put the calendar into the side bar of spaces that have it switched on."""
    return [{"order": 40, "route": "/ui/workspaces/{id}/agenda", "setting": "agenda_enabled", **AGENDA}]


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of entries."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)


@hookimpl
def space_sizes(ctx: Any, spaces: Any) -> int:
    """Tell spaces how many bytes the entries of their calendars and address books have."""
    from .queries import bytes_in

    return bytes_in(ctx, spaces)
