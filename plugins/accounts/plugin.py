"""Declarations of the plugin accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import Actor, ConfigSection, Context, Event, KernelError, Route
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
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Session, User

    return [User, Session]


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
