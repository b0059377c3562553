"""Declarations of the plugin resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError, Route, Task
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="resumable",
    summary="Uploads that go on where they broke off (tus 1.0)",
    requires=("accounts", "spaces", "core_content"),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [resumable]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import PartialUpload

    return [PartialUpload]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("resumable", "atrio.plugins.resumable.migrations")


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
    """Declare the job that removes what nobody went on with."""
    from .tasks import TASKS

    return list(TASKS)
