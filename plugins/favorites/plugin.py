"""Declarations of the plugin favorites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import KernelError, Route
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="favorites",
    summary="Favourite contents of users",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Favorite

    return [Favorite]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("favorites", "atrio.plugins.favorites.migrations")


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
