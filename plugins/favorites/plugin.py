"""Declarations of the plugin favorites."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="favorites",
    summary="Favourite contents of users",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)
