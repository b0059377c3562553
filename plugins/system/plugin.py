"""Declarations of the plugin system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, Route
    from atrio.kernel.config import Config

MANIFEST = Manifest(
    name="system",
    summary="What clients read at start: settings, error codes, applications, content types",
    requires=("accounts",),
    essential=True,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [system]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to start with a colour file that cannot be used, and with settings that do not fit."""
    from .config import faults

    return faults(config)


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)
