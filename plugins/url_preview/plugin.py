"""Declarations of the plugin url_preview."""

from __future__ import annotations

from atrio import Manifest

MANIFEST = Manifest(
    name="url_preview",
    summary="Title, text and picture of a web page",
    requires=("accounts",),
)
