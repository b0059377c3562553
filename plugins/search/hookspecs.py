"""Hooks that search offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atrio.kernel.markers import hookspec


@hookspec
def register_searchables() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return further texts by which contents are found, as plain mappings.

    `field` names the text (`tags`); `content_ids` is called with `matches`, which makes the SQL condition of
    a text column, and returns a SELECT of the ids of the contents found. It need not look at rights or states:
    the search does.
    """
