"""Declarations of the plugin mentions."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="mentions",
    summary="Mentions of people in texts",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)
