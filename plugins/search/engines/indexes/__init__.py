"""The index of each engine of the database over `search_text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel

from ...language import Query
from .. import Progress


@dataclass(frozen=True)
class Condition:
    """A condition over CONTENT; with a `shape` it is always the same one, and only its named `values` differ.

    Where very many contents meet it, `ids` are those, ascending; with `others` they are only a part, and any
    content in whose texts one of these patterns is found is one more: the values of `fields.reading`.
    """

    clause: ColumnElement[bool]
    values: Mapping[str, Any] = field(default_factory=dict)
    shape: str = ""
    ids: Sequence[int] = ()
    others: Mapping[str, str] = field(default_factory=dict)


class Index(Protocol):
    """Answers which contents hold a text, rights and states left aside."""

    def hits(self, query: Query, fields: frozenset[str], *, scored: bool) -> Select[Any]:
        """Return a SELECT of content_id, and score, of what a query finds, in these wire fields or in all."""
        ...

    def many(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return the ids of all that a query finds, ascending, when they are very many, and () otherwise.

        Also where looking at the rows of all of them is quick enough.
        """
        ...

    def named(self, ctx: Context, query: Query, fields: frozenset[str]) -> Sequence[int]:
        """Return the ids of contents in whose names, tags or description a word of a query stands, ascending."""
        ...

    def containing(self, ctx: Context, needles: Sequence[str]) -> Condition:
        """Return the condition, over CONTENT, of contents in whose texts one of some folded needles stands."""
        ...

    def learn(self, ctx: Context, texts: Sequence[str]) -> None:
        """Take note of texts that were just written, where the index does not do so by itself."""
        ...

    def settle(self, ctx: Context) -> None:
        """Take away what misleads the database about its own index."""
        ...

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Make the index anew while the old one answers."""
        ...

    def facts(self, ctx: Context) -> dict[str, Any]:
        """Return what operators want to know; `ready` tells whether the index is whole."""
        ...


def index_for(dialect: str) -> Index:
    """Return the index of an engine of the database."""
    if dialect == "sqlite":
        from .sqlite import SqliteIndex

        return SqliteIndex()
    if dialect == "postgresql":
        from .postgresql import PostgresqlIndex

        return PostgresqlIndex()
    from .mariadb import MariadbIndex

    return MariadbIndex()
