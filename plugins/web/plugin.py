"""Declarations of the plugin web."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="web",
    summary="Serves a front end and its branding",
    requires=("accounts",),
)
