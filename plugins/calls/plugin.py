"""Declarations of the plugin calls."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="calls",
    summary="Calls between two users, on a conference server",
    requires=("accounts",),
)
