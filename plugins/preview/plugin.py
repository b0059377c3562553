"""Declarations of the plugin preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError, Route, Task
    from atrio.kernel.config import Config
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="preview",
    summary="Previews of files and notes: pictures, pages, texts",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [preview]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run with sizes that are none."""
    from .config import PreviewConfig, sizes

    try:
        sizes(config[PreviewConfig])
    except ValueError as error:
        return f"preview.allowed_dims: {error}"
    return None


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


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
def register_tasks() -> list[Task]:
    """Declare the nightly job."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def on_shutdown(kernel: Kernel) -> None:
    """Take no more orders."""
    from .services import workshop_of

    workshop_of(kernel).close()
