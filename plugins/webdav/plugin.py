"""Declarations of the plugin webdav."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, Subscription, Task
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.route import Mount

MANIFEST = Manifest(
    name="webdav",
    summary="The spaces as a drive: WebDAV",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [webdav]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the protocol library."""
    from importlib.util import find_spec

    missing = [name for name in ("wsgidav", "lxml") if find_spec(name) is None]
    return f"{' and '.join(missing)} not installed; type: pip install 'atrio[webdav]'" if missing else None


@hookimpl
def register_hookspecs() -> list[Any]:
    """Let other plugins put folders on the drive."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Absent, DavLock, DavProperty, LockGate, Scratch

    return [LockGate, DavLock, DavProperty, Scratch, Absent]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("webdav", "atrio.plugins.webdav.migrations")


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Forget properties with what they belong to."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the hourly task."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_mounts(kernel: Kernel) -> list[Mount]:
    """Put the drive under its path."""
    from atrio.kernel.http.route import Mount

    from .config import WebdavConfig
    from .door import Door, prefix

    return [Mount(prefix(kernel.config[WebdavConfig]), Door(kernel), "The spaces as a drive (WebDAV).")]


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients where the drive is."""
    from atrio.kernel.config import base_url

    from .config import WebdavConfig
    from .door import prefix

    settings = config[WebdavConfig]
    base = settings.base_url.rstrip("/") or base_url(config)
    return {"webdav_enabled": True, "webdav_url": f"{base}{prefix(settings)}/"}
