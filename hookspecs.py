"""Every hook the kernel calls: its signature and its contract, nothing else.

`register_*` hooks are called once, at boot, plugin by plugin in dependency order, and return an iterable of
frozen dataclasses. An exception in one of them parks that plugin with its reason; the server goes on unless
the plugin is essential. Implement a hook with `atrio.hookimpl` in `plugin.py`; a misspelt hook is a load error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.background import Background
    from atrio.kernel.blobs import BlobStore, TemporaryBlob
    from atrio.kernel.config import Config, ConfigSection
    from atrio.kernel.context import Actor, Context
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.errors import KernelError
    from atrio.kernel.events import Event, Subscription
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.guards import Permission, Policy
    from atrio.kernel.http.request import Request
    from atrio.kernel.http.route import Mount, Route
    from atrio.kernel.http.schema import FieldContributor
    from atrio.kernel.tasks import Task


@hookspec
def register_config() -> Iterable[ConfigSection]:  # type: ignore[empty-body]
    """Return the plugin's config sections. Called for disabled plugins too, so that their keys stay known."""


@hookspec
def check_environment(config: Config) -> str | None:
    """Return why the plugin cannot run here (a missing program, an unreachable folder), or None."""


@hookspec
def register_hookspecs() -> Iterable[Any]:  # type: ignore[empty-body]
    """Return modules with hook specifications that this plugin offers to others."""


@hookspec
def register_models() -> Iterable[Any]:  # type: ignore[empty-body]
    """Return the model classes; their tables are named `<plugin>_*`."""


@hookspec
def register_migrations() -> Lineage | None:
    """Return the plugin's alembic lineage: the package that holds its revisions."""


@hookspec
def register_events() -> Iterable[type[Event]]:  # type: ignore[empty-body]
    """Return the event classes this plugin emits."""


@hookspec
def register_subscriptions() -> Iterable[Subscription]:  # type: ignore[empty-body]
    """Return reactions to events, each in one phase: before_commit, after_commit or job."""


@hookspec
def register_permissions() -> Iterable[Permission]:  # type: ignore[empty-body]
    """Return the named rights this plugin asks about, each with its default refusal."""


@hookspec
def register_policies() -> Iterable[Policy]:  # type: ignore[empty-body]
    """Return opinions on permissions, of this plugin or of one it requires."""


@hookspec
def register_errors() -> Iterable[type[KernelError]]:  # type: ignore[empty-body]
    """Return the error classes with their wire codes."""


@hookspec
def register_schema_fields() -> Iterable[FieldContributor]:  # type: ignore[empty-body]
    """Return values for fields that another plugin's schema declares."""


@hookspec
def register_routes(config: Config) -> Iterable[Route]:  # type: ignore[empty-body]
    """Return the routes; every one has guards, a public one says so. Few depend on the config."""


@hookspec
def register_mounts(kernel: Kernel) -> Iterable[Mount]:  # type: ignore[empty-body]
    """Return ASGI applications that own a path prefix."""


@hookspec
def blob_store(config: Config) -> Mapping[str, Callable[[Kernel], BlobStore]]:  # type: ignore[empty-body]
    """Return stores for the bytes of files by the name that `storage.blobs` chooses."""


@hookspec
def register_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Return background tasks; one with `periodic` runs once however many workers there are."""


@hookspec
def register_background() -> Iterable[Background]:  # type: ignore[empty-body]
    """Return background services with start and stop."""


@hookspec
def register_commands(cli: Any) -> None:
    """Add commands or groups to the `atrio` command line (a click group)."""


@hookspec
def register_capabilities(config: Config) -> dict[str, Any] | None:
    """Return what this plugin announces to clients, by key; a key used twice is a boot error."""


@hookspec
def register_health(kernel: Kernel) -> dict[str, Any] | None:
    """Return facts for `/health/ready`; raise when the plugin cannot work at present."""


@hookspec
def check_received(kernel: Kernel, blob: TemporaryBlob) -> None:
    """Look at a file that came through any door, before it is stored; raise FileRefused to keep it out.

    Called once for each file, in a thread, after its last byte and as a rule before the unit of work opens. `blob`
    gives `path`, `size`, `digest` and `head`. Any exception keeps the file out.
    """


@hookspec
def on_startup(kernel: Kernel) -> None:
    """Do what must be done when a process starts to serve."""


@hookspec
def on_shutdown(kernel: Kernel) -> None:
    """Undo it, within seconds."""


@hookspec
def on_database_created(ctx: Context) -> None:
    """Put the first rows into a database that was just created."""


@hookspec(firstresult=True)
def authenticate(request: Request, ctx: Context) -> Actor | None:
    """Return the actor of a request, None when this plugin sees no credential of its kind, or raise."""
