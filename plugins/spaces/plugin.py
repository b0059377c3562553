"""Declarations of the plugin spaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, Event, KernelError, Permission, Policy, Route
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="spaces",
    summary="Spaces with members and roles",
    offers={"live": ["register_live_events"]},
    requires=("accounts",),
    essential=True,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [spaces]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients how many spaces a user may own, and whether they may choose a parent."""
    from .config import SpacesConfig

    settings = config[SpacesConfig]
    return {
        "workspaces_number_per_user_limit": settings.per_user,
        "ui__spaces__creation__parent_space_choice__visible": settings.parent_choice_visible,
    }


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Member, Space, Subscription

    return [Space, Member, Subscription]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("spaces", "atrio.plugins.spaces.migrations")


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
def register_permissions() -> list[Permission]:
    """Declare one permission a role."""
    from .permissions import PERMISSIONS

    return list(PERMISSIONS)


@hookimpl
def register_policies() -> list[Policy]:
    """Allow what the member's role allows."""
    from .permissions import POLICIES

    return list(POLICIES)


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio space`."""
    from .cli import space

    cli.add_command(space)


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)
