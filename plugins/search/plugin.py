"""Declarations of the plugin search."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="search",
    summary="Search in contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)
