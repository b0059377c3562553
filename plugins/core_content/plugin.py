"""Declarations of the plugin core_content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atrio import ConfigSection, Event, KernelError, Route
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.http.schema import FieldContributor

MANIFEST = Manifest(
    name="core_content",
    summary="Folders, notes, files with revisions",
    requires=("accounts", "spaces"),
    after=("system",),
    offers={"live": ["register_live_events"], "system": ["register_applications", "register_content_type_facts"]},
    essential=True,
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [core_content]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients how large a file and a space may be, in bytes; 0: no limit."""
    from .config import ContentConfig

    settings = config[ContentConfig]
    return {
        "content_length_file_size_limit": settings.max_file_size,
        "workspace_size_limit": settings.space_size,
    }


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Content, Read, Revision

    return [Content, Revision, Read]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("core_content", "atrio.plugins.core_content.migrations")


@hookimpl
def register_events() -> list[type[Event]]:
    """Declare the events."""
    from .events import EVENTS

    return list(EVENTS)


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
def register_commands(cli: Any) -> None:
    """Add `atrio content`."""
    from .cli import content

    cli.add_command(content)


@hookimpl
def register_schema_fields() -> list[FieldContributor]:
    """Fill the two counts that a user's card shows of what he wrote."""
    from atrio.kernel.http.schema import FieldContributor

    from .queries import authored_revisions, authored_spaces

    return [
        FieldContributor("user_about", "authored_content_revisions_count", authored_revisions),
        FieldContributor("user_about", "authored_content_revisions_space_count", authored_spaces),
    ]


@hookimpl
def space_sizes(ctx: Any, spaces: Any) -> int:
    """Tell spaces how many bytes the files of some spaces have."""
    from .queries import bytes_in

    return bytes_in(ctx, spaces)


@hookimpl
def empty_space(ctx: Any, space_id: int) -> None:
    """Delete the contents of a space that is purged."""
    from .services import empty_space as empty

    empty(ctx, space_id)


@hookimpl(optionalhook=True)
def register_content_type_facts(kernel: Any) -> list[dict[str, Any]]:
    """Tell system what clients read of the content types."""
    from .facts import content_type_facts

    return content_type_facts(kernel)


@hookimpl(optionalhook=True)
def register_applications(kernel: Any) -> list[dict[str, Any]]:
    """Tell system the applications of the content types."""
    from .facts import application_facts

    return application_facts()


@hookimpl(optionalhook=True)
def register_live_events() -> list[Mapping[str, Any]]:
    """Declare what live messages tell of the events."""
    from .live import LIVE_EVENTS

    return list(LIVE_EVENTS)
