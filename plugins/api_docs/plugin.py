"""Declarations of the plugin api_docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import Route

MANIFEST = Manifest(name="api_docs", summary="OpenAPI document and documentation page at /api/doc/")


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)
