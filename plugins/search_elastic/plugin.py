"""Declarations of the plugin search_elastic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from atrio import ConfigSection, Task
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="search_elastic",
    summary="Search by an Elasticsearch or OpenSearch server",
    requires=("accounts", "spaces", "core_content", "search"),
)
ENGINE = "elasticsearch"


def _chosen(config: Config) -> bool:
    from atrio.plugins.search.api import chosen_engine

    return chosen_engine(config) == ENGINE


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [search_elastic]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the client library, or with settings that cannot be meant, where this is wanted."""
    from importlib.util import find_spec

    from .config import faults

    if not _chosen(config):
        return None
    if find_spec("elasticsearch") is None:
        return "elasticsearch not installed; type: pip install 'atrio[search_elastic]'"
    return faults(config)


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Waiting

    return [Waiting]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("search_elastic", "atrio.plugins.search_elastic.migrations")


@hookimpl
def register_search_engine(config: Config) -> Mapping[str, Callable[[Any], Any]]:
    """Offer the engine."""

    def make(kernel: Kernel) -> Any:
        from .engine import ElasticEngine

        return ElasticEngine(kernel)

    return {ENGINE: make}


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the jobs."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any] | None:
    """Say how much the search engine has to be told."""
    if not _chosen(kernel.config):
        return None
    from .queries import number_waiting

    return {"waiting": kernel.run(number_waiting, writes=False)}


@hookimpl
def on_startup(kernel: Kernel) -> None:
    """Leave a job that makes the index, where there is none, and fills it; the server need not be there yet."""
    if not _chosen(kernel.config):
        return
    kernel.run(lambda ctx: ctx.defer("search_elastic.due"))


@hookimpl
def on_shutdown(kernel: Kernel) -> None:
    """Close the connections."""
    index = kernel.parts.get("search_elastic.index")
    if index is not None:
        index.server.close()
