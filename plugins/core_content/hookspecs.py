"""Hooks that core_content offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from atrio.kernel.markers import hookspec


@hookspec
def register_content_types() -> Iterable[Any]:  # type: ignore[empty-body]
    """Return further `types.ContentType` values."""
