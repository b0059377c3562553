"""Declarations of the plugin webdav."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="webdav",
    summary="WebDAV: the spaces as a drive",
    requires=("accounts", "spaces", "core_content"),
    default_enabled=False,
)


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import DavLock, DavProperty, LockGate

    return [LockGate, DavLock, DavProperty]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("webdav", "atrio.plugins.webdav.migrations")
