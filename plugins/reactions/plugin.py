"""Declarations of the plugin reactions."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="reactions",
    summary="Reactions to contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)
