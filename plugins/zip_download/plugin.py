"""Declarations of the plugin zip_download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError, Route
    from atrio.kernel.config import Config

MANIFEST = Manifest(
    name="zip_download",
    summary="Folders, selections and whole spaces as a zip file",
    requires=("spaces", "core_content"),
)


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the library that writes zip files."""
    from importlib.util import find_spec

    return None if find_spec("zipstream") else "zipstream-ng not installed; type: pip install 'atrio[zip]'"


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [zip_download]."""
    from .config import SECTION

    return [SECTION]


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
