"""Declarations of the plugin tags."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="tags",
    summary="Tags of spaces and contents",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)
