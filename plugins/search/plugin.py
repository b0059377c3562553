"""Declarations of the plugin search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import Route
    from atrio.kernel.config import Config

MANIFEST = Manifest(
    name="search",
    summary="Search in contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients which engine answers them."""
    return {"search_engine": "simple"}


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)
