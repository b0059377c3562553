"""Declarations of the plugin share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from atrio import Event, KernelError, Route
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.http.schema import FieldContributor

MANIFEST = Manifest(
    name="share",
    summary="Files for people without an account",
    offers={"mail": ["register_mail_facts", "register_mail_notices", "register_mail_templates"]},
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_models() -> list[Any]:
    """Declare the table."""
    from .models import Share

    return [Share]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("share", "atrio.plugins.share.migrations")


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
def register_schema_fields() -> list[FieldContributor]:
    """Tell with each content how many of its shares are enabled."""
    from atrio.kernel.http.schema import FieldContributor

    from .queries import active_shares

    return [FieldContributor("content", "actives_shares", active_shares)]


@hookimpl(optionalhook=True)
def register_mail_notices() -> list[Mapping[str, Any]]:
    """Write to those with whom a file was shared, and to who shared it."""
    from .mails import NOTICES

    return list(NOTICES)


@hookimpl(optionalhook=True)
def register_mail_facts() -> Mapping[str, Any]:
    """Read the links of these mails when they are sent."""
    from .mails import FACTS

    return FACTS


@hookimpl(optionalhook=True)
def register_mail_templates() -> list[Path]:
    """Bring the words of these mails."""
    from .mails import TEMPLATES

    return [TEMPLATES]
