"""Declarations of the plugin upload_links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from atrio import Event, KernelError, Route
    from atrio.kernel.db.migrate import Lineage

MANIFEST = Manifest(
    name="upload_links",
    summary="Files from people without an account",
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
    from .models import UploadLink

    return [UploadLink]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("upload_links", "atrio.plugins.upload_links.migrations")


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


@hookimpl(optionalhook=True)
def register_mail_notices() -> list[Mapping[str, Any]]:
    """Write to those who may put files into a space, to who let them, and to the members when they did."""
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
