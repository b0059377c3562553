"""Hooks that spaces offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from sqlalchemy import Select

    from atrio.kernel.context import Context


@hookspec
def register_sidebar_entries() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return entries of a space's side bar.

    Keys: `order` (int), `slug`, `label`, `route` (with `{id}`), `fa_icon`, `hexcolor`, and `setting`, the
    name of the space's flag that must be on, or None.
    """


@hookspec
def space_sizes(ctx: Context, spaces: Select[tuple[int]]) -> int:  # type: ignore[empty-body]
    """Return the bytes that this plugin keeps in the spaces whose ids the SELECT gives."""


@hookspec
def empty_space(ctx: Context, space_id: int) -> None:
    """Delete what this plugin keeps in a space that is about to be purged.

    Rows with a foreign key to the space go by themselves; this is for what a cascade cannot do: trees deeper
    than MariaDB follows, files, rows of other owners.
    """
