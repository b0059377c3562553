"""Declarations of the plugin accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import Actor, ConfigSection, Context, Event, KernelError, Permission, Policy, Route
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.http.request import Request

MANIFEST = Manifest(
    name="accounts",
    summary="Users, profiles, sign-in by session, Basic and API key",
    essential=True,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [accounts]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run with settings that mean nothing: unknown fields, schemas that are none."""
    from .adapters.properties import read_files
    from .config import AccountsConfig, faults

    return faults(config[AccountsConfig]) or read_files(config[AccountsConfig]).fault


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import MODELS

    return list(MODELS)


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("accounts", "atrio.plugins.accounts.migrations")


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
    """Declare who may know whom."""
    from .permissions import PERMISSIONS

    return list(PERMISSIONS)


@hookimpl
def register_policies() -> list[Policy]:
    """Allow oneself, the trusted, and everybody where the filter is off."""
    from .permissions import POLICIES

    return list(POLICIES)


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Announce how people sign in and what they may change."""
    from .config import AccountsConfig, announced

    return announced(config[AccountsConfig])


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio user`."""
    from .cli import user

    cli.add_command(user)


@hookimpl
def authenticate(request: Request, ctx: Context) -> Actor | None:
    """Sign a request in by session cookie, API key or Basic."""
    from .authentication import authenticate as sign_in

    return sign_in(request, ctx)


@hookimpl
def on_database_created(ctx: Context) -> None:
    """Create the first administrator and print a generated password once."""
    from .services import create_first_administrator

    create_first_administrator(ctx)
