"""Declarations of the plugin system."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="system",
    summary="What clients read at start: settings, error codes, applications, content types",
    requires=("accounts",),
    essential=True,
)
