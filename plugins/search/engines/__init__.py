"""What every search engine takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from atrio.kernel.context import Context


@dataclass(frozen=True)
class ContentQuery:
    """What is looked for, by whom, and which part of it is wanted.

    Any one of the `words` is enough. No `content_types` means all of them. `active`, `deleted` and `archived`
    say in which states a content may be.
    """

    user_id: int
    words: tuple[str, ...]
    content_types: tuple[str, ...] = ()
    active: bool = True
    deleted: bool = False
    archived: bool = False
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True)
class Found:
    """The rows of one page, as `queries.rows_of` gives them, and the number of all hits."""

    rows: Sequence[Any] = ()
    total: int = 0
    exact: bool = True


class Engine(Protocol):
    """Finds contents. It gives nobody anything that he could not open, and counts nothing of it either."""

    def search(self, ctx: Context, query: ContentQuery) -> Found:
        """Return one page of what a user finds."""
        ...
