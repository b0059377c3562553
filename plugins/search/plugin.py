"""Declarations of the plugin search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, Context, KernelError, Route, Subscription, Task
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="search",
    summary="Search in contents, people and spaces",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [search]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .files.models import SearchExtract, SearchFile
    from .models import SearchPerson, SearchPlace, SearchStale, SearchState, SearchText
    from .stems.models import SearchStem

    return [
        SearchText, SearchPerson, SearchPlace, SearchStale, SearchState, SearchExtract, SearchFile, SearchStem,
    ]  # fmt: skip


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    from .engines.indexes.layout import UNMANAGED

    return Lineage("search", "atrio.plugins.search.migrations", unmanaged=UNMANAGED)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Follow what changes texts."""
    from .files.tasks import SUBSCRIPTIONS as READING
    from .subscribers import SUBSCRIPTIONS

    return [*SUBSCRIPTIONS, *READING]


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the jobs."""
    from .files.tasks import TASKS as READING
    from .stems.tasks import TASKS as LEARNING
    from .tasks import TASKS

    return [*TASKS, *READING, *LEARNING]


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients which searches are answered, in the words that they know."""
    from .choice import is_advanced

    return {"search_engine": "elasticsearch" if is_advanced(config) else "simple"}


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio search`."""
    from .cli import search

    cli.add_command(search)


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any]:
    """Say how much waits for the index."""
    from .queries import number_waiting

    with kernel.unit(writes=False) as ctx:
        return {"waiting": number_waiting(ctx)}


@hookimpl
def on_database_created(ctx: Context) -> None:
    """Index the first accounts."""
    from . import services

    services.note_populated(ctx)
    services.project_batch(ctx, "user", 0)


@hookimpl
def on_startup(kernel: Kernel) -> None:
    """Index what was there before this plugin, and learn words in other languages than before, by jobs."""
    from . import services
    from .stems.services import prepare

    def begin(ctx: Context) -> None:
        if services.note_populated(ctx):
            ctx.defer("search.populate")
        prepare(ctx)

    kernel.run(begin)
