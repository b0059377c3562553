"""Declarations of the plugin url_preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError, Route
    from atrio.kernel.config import Config

MANIFEST = Manifest(
    name="url_preview",
    summary="Title, text and picture of a web page",
    requires=("accounts",),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [url_preview]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run with networks or ports that are none."""
    from .addresses import policy_of
    from .config import UrlPreviewConfig

    settings = config[UrlPreviewConfig]
    try:
        policy_of(settings.allowed_networks, settings.ports)
    except ValueError as error:
        return f"url_preview.allowed_networks or url_preview.ports: {error}"
    return None


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
