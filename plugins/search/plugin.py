"""Declarations of the plugin search."""

from __future__ import annotations

from typing import Any

from atrio import Manifest, hookimpl

MANIFEST = Manifest(
    name="search",
    summary="Search in contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to other plugins."""
    from . import hookspecs

    return [hookspecs]
