"""The engine in the database: nothing but the server is needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all

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
from .indexes.kinds import Crowd, put_right
from .indexes.layout import creation, removal
from .many import counted, crowd_of, page_of, tags_of
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
        """Find contents: five statements whatever the number of hits, one more each for highlights and forms.

        Very many hits are found once, and the rest is asked of their kinds: nine statements, 13 at most.
        """
        if not search.query:
            return ContentHits()
        search = with_forms(ctx, search)
        conditions = filters(ctx, search)
        crowd = crowd_of(ctx, self.index, search)
        if crowd is not None:
            return self._of_crowd(ctx, search, crowd, conditions)
        found = self.index.hits(search.query, search.fields, scored=False).cte("hit")
        rows = ctx.execute(_counted(found, conditions)).all()
        total = sum(row.n for row in rows)
        if not total:
            return ContentHits()
        columns = list(zip(*rows, strict=True))
        facets = _facets(ctx, columns[: len(COMBINED)], columns[len(COMBINED)])
        tagged = tag_counts(ctx, _joined(found, conditions, CONTENT.c.content_id))
        if tagged is not None:
            counted: Any = ctx.execute(tagged.limit(BUCKETS))
            facets["tags"] = [Facet(value, count) for value, count in counted]
        return ContentHits(
            self._page(ctx, search, conditions) if search.limit and search.offset < total else (), total, True,
            facets, _range(rows, "created"), _range(rows, "modified"),
        )  # fmt: skip

    def _of_crowd(
        self, ctx: Context, search: ContentSearch, crowd: Crowd, conditions: Sequence[Any]
    ) -> ContentHits:
        values, numbers = counted(ctx, crowd, conditions, COMBINED)
        if not crowd.total:
            return ContentHits()
        facets = _facets(ctx, values, numbers)
        tags = tags_of(ctx, crowd)
        if tags is not None:
            facets["tags"] = tags
        created, created_to, modified, modified_to = crowd.ends(ctx)
        hits = page_of(ctx, self.index, search, crowd) if search.limit and search.offset < crowd.total else []
        return ContentHits(
            _marked(ctx, search, hits), crowd.total, True, facets, Range(created, created_to),
            Range(modified, modified_to),
        )  # fmt: skip

    def _page(self, ctx: Context, search: ContentSearch, conditions: Sequence[Any]) -> list[Hit]:
        found = self.index.hits(search.query, search.fields, scored=True).cte("hit")
        query = (
            _joined(found, conditions, found.c.content_id, found.c.score)
            .order_by(found.c.score.desc(), CONTENT.c.modified.desc(), CONTENT.c.content_id.desc())
            .limit(search.limit)
            .offset(search.offset)
        )
        return _marked(ctx, search, [Hit(row.content_id, float(row.score)) for row in ctx.execute(query)])

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
            if connection.dialect.name == "sqlite":
                put_right(connection.execute)

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


def _marked(ctx: Context, search: ContentSearch, hits: list[Hit]) -> list[Hit]:
    """Return hits with what shows where they matched, when that is wanted."""
    if not search.highlight or not hits:
        return hits
    marked = highlighted(ctx, search.query, search.fields, [hit.id for hit in hits])
    return [replace(hit, highlights=marked.get(hit.id, {})) for hit in hits]


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


def _facets(ctx: Context, values: Sequence[Sequence[Any]], numbers: Sequence[int]) -> dict[str, list[Facet]]:
    """Return the facets but tags, of the values of columns and the numbers of hits: one statement for names."""
    counts: dict[str, Counter[Any]] = {name: Counter() for name in COMBINED}
    for name, of_rows in zip(COMBINED, values, strict=True):
        of_values: dict[Any, int] = defaultdict(int)
        for value, n in zip(of_rows, numbers, strict=True):
            of_values[value] += n
        counts[name].update(of_values)
    users = {i for name in ("author_id", "last_modifier_id") for i, _ in counts[name].most_common(NAMED)}
    people, places = _names(ctx, users, {i for i, _ in counts["space_id"].most_common(NAMED)})
    return {
        "workspace_names": _most(counts["space_id"], places),
        "author__public_names": _most(counts["author_id"], people),
        "last_modifier__public_names": _most(counts["last_modifier_id"], people),
        "file_extensions": _most(counts["file_extension"]),
        "statuses": _most(counts["status"]),
        "content_types": _most(counts["type"]),
    }


def _names(ctx: Context, users: set[Any], spaces: set[Any]) -> tuple[dict[Any, str], dict[Any, str]]:
    """Return the names of some people and spaces, by their ids: one statement."""
    query = union_all(
        select(literal(0), author.user_id, author.public_name).where(author.user_id.in_(sorted(users - {None}))),
        select(literal(1), space.space_id, space.label).where(space.space_id.in_(sorted(spaces))),
    )
    found: tuple[dict[Any, str], dict[Any, str]] = ({}, {})
    rows: Any = ctx.execute(query)
    for which, key, name in rows:
        found[which][key] = name
    return found


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
