"""The engine in the database: nothing but the server is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from atrio.kernel.context import Context
from atrio.kernel.db.migrate import migrating
from atrio.kernel.host import Kernel
from atrio.plugins.core_content.api import CONTENT

from ..highlights import highlighted
from ..models import STALE, TEXT
from ..searchables import tag_counts
from ..stems.expansion import with_forms
from . import (
    BUCKETS,
    ContentHits,
    ContentSearch,
    Facet,
    Hit,
    Kind,
    Progress,
    Range,
    SpaceHits,
    SpaceSearch,
    Status,
    UserHits,
    UserSearch,
)
from .conditions import author, filters, space
from .indexes import Index, index_for
from .indexes.layout import creation, removal
from .people import find_people
from .places import find_places

COMBINED = ("space_id", "type", "author_id", "last_modifier_id", "file_extension", "status")
"""Columns whose values are counted together: one pass over the hits gives all facets, totals and ranges."""
NAMED = 200
"""People and spaces of a facet whose names are looked up: the most frequent ones."""


class EmbeddedEngine:
    """Answers from `search_text` by the index of the database."""

    name = "embedded"

    def __init__(self, kernel: Kernel) -> None:
        self.index: Index = index_for(kernel.db.writer.dialect.name)

    def contents(self, ctx: Context, search: ContentSearch) -> ContentHits:
        """Find contents: five statements whatever the number of hits, one more each for highlights and forms."""
        if not search.query:
            return ContentHits()
        search = with_forms(ctx, search)
        conditions = filters(ctx, search)
        found = self.index.hits(search.query, search.fields, scored=False).cte("hit")
        rows = ctx.execute(_counted(found, conditions)).all()
        total = sum(row.n for row in rows)
        if not total:
            return ContentHits()
        facets = _facets(ctx, rows)
        tagged = tag_counts(ctx, _joined(found, conditions, CONTENT.c.content_id))
        if tagged is not None:
            counted: Any = ctx.execute(tagged.limit(BUCKETS))
            facets["tags"] = [Facet(value, count) for value, count in counted]
        return ContentHits(
            self._page(ctx, search, conditions) if search.limit and search.offset < total else (), total, True,
            facets, _range(rows, "created"), _range(rows, "modified"),
        )  # fmt: skip

    def _page(self, ctx: Context, search: ContentSearch, conditions: Sequence[Any]) -> list[Hit]:
        found = self.index.hits(search.query, search.fields, scored=True).cte("hit")
        query = (
            _joined(found, conditions, found.c.content_id, found.c.score)
            .order_by(found.c.score.desc(), CONTENT.c.modified.desc(), CONTENT.c.content_id.desc())
            .limit(search.limit)
            .offset(search.offset)
        )
        rows = ctx.execute(query).all()
        marked: Mapping[int, Any] = {}
        if search.highlight:
            marked = highlighted(ctx, search.query, search.fields, [row.content_id for row in rows])
        return [Hit(row.content_id, float(row.score), marked.get(row.content_id, {})) for row in rows]

    def users(self, ctx: Context, search: UserSearch) -> UserHits:
        """Find people."""
        return find_people(ctx, search)

    def spaces(self, ctx: Context, search: SpaceSearch) -> SpaceHits:
        """Find spaces."""
        return find_places(ctx, with_forms(ctx, search))

    def put(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
        """Do nothing: the indexes follow `search_text` in its transactions."""

    def create(self, kernel: Kernel) -> None:
        """Make the indexes where they are missing."""
        with migrating(kernel.db) as connection:
            for statement in creation(connection):
                connection.execute(statement)

    def drop(self, kernel: Kernel) -> None:
        """Delete the indexes; the texts stay."""
        with migrating(kernel.db) as connection:
            for statement in removal(connection):
                connection.execute(statement)

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Make the index of words anew beside the old one."""
        self.index.rebuild(kernel, progress)

    def status(self, kernel: Kernel) -> Status:
        """Say how many texts there are and how the index stands."""
        with kernel.unit(writes=False) as ctx:
            facts = self.index.facts(ctx)
            ready = bool(facts.pop("ready"))
            texts = ctx.execute(select(func.count()).select_from(TEXT)).scalar()
            stale = ctx.execute(select(func.count()).select_from(STALE)).scalar()
        return Status(ready, {"texts": texts, "waiting": stale, **facts})

    def differences(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> Iterable[int]:
        """Return nothing: the database keeps its indexes in line with the texts."""
        return ()


def _joined(found: Any, conditions: Sequence[Any], *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(found.join(CONTENT, CONTENT.c.content_id == found.c.content_id))
        .where(*conditions)
    )


def _counted(found: Any, conditions: Sequence[Any]) -> Select[Any]:
    """Return the SELECT of all combinations of what facets count: one pass over the hits."""
    return _joined(
        found, conditions, *(CONTENT.c[name] for name in COMBINED), func.count().label("n"),
        func.min(CONTENT.c.created).label("created_from"), func.max(CONTENT.c.created).label("created_to"),
        func.min(CONTENT.c.modified).label("modified_from"), func.max(CONTENT.c.modified).label("modified_to"),
    ).group_by(*(CONTENT.c[name] for name in COMBINED))  # fmt: skip


def _facets(ctx: Context, rows: Sequence[Any]) -> dict[str, list[Facet]]:
    """Return the facets but tags: two statements for the names."""
    counts: dict[str, Counter[Any]] = {name: Counter() for name in COMBINED}
    for row in rows:
        n = row.n
        for name, value in zip(COMBINED, row[: len(COMBINED)], strict=True):
            counts[name][value] += n
    users = {i for name in ("author_id", "last_modifier_id") for i, _ in counts[name].most_common(NAMED)}
    people = _names(ctx, author.user_id, author.public_name, users)
    places = _names(ctx, space.space_id, space.label, {i for i, _ in counts["space_id"].most_common(NAMED)})
    return {
        "workspace_names": _most(counts["space_id"], places),
        "author__public_names": _most(counts["author_id"], people),
        "last_modifier__public_names": _most(counts["last_modifier_id"], people),
        "file_extensions": _most(counts["file_extension"]),
        "statuses": _most(counts["status"]),
        "content_types": _most(counts["type"]),
    }


def _names(ctx: Context, key: Any, name: Any, ids: set[Any]) -> dict[Any, str]:
    rows: Any = ctx.execute(select(key, name).where(key.in_(sorted(ids - {None}))))
    return {row[0]: row[1] for row in rows}


def _most(counts: Counter[Any], names: Mapping[Any, str] | None = None) -> list[Facet]:
    """Return the most frequent values; those of one name count together, those without a name not at all."""
    named: Counter[Any] = Counter()
    for value, n in counts.items():
        shown = value if names is None else names.get(value)
        if shown:
            named[shown] += n
    ordered = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    return [Facet(value, n) for value, n in ordered[:BUCKETS]]


def _range(rows: Sequence[Any], name: str) -> Range:
    first, last = f"{name}_from", f"{name}_to"
    return Range(min(getattr(r, first) for r in rows), max(getattr(r, last) for r in rows))
