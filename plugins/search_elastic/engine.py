"""The engine as search knows it: contents from the index, people and spaces from the database."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel
from atrio.plugins.search.api import (
    BUCKETS,
    ContentHits,
    ContentSearch,
    Facet,
    Hit,
    Kind,
    Progress,
    Range,
    SearchEngineUnavailable,
    SpaceHits,
    SpaceSearch,
    Status,
    UserHits,
    UserSearch,
    embedded,
    highlighted,
)

from . import documents, queries, services
from .adapters.server import ServerAway, ServerRefused
from .requests import content_request

log = logging.getLogger("atrio.search")


class ElasticEngine:
    """Answers from an index on a server.

    Who may see what is asked of the database at each search and is a filter of the request. People and spaces are
    few, and their rights and counts are relations: the database answers for them.
    """

    name = "elasticsearch"

    def __init__(self, kernel: Kernel) -> None:
        self._index = services.index_of(kernel)
        self._settings = self._index.settings
        self._own = embedded(kernel)

    def contents(self, ctx: Context, search: ContentSearch) -> ContentHits:
        """Find contents: one request and at most eight statements, whatever the number of hits."""
        if not search.query or not (search.active or search.deleted or search.archived):
            return ContentHits()
        scope = queries.scope_of(ctx, search)
        if scope is None:
            return ContentHits()
        request = content_request(search, scope, self._settings)
        with ctx.released():
            answer = self._ask(request)
        total = int(answer["hits"]["total"]["value"])
        exact = answer["hits"]["total"]["relation"] == "eq" and not answer["_shards"]["failed"]
        if not total:
            return ContentHits(exact=exact)
        found = [(int(hit["_id"]), float(hit["_score"] or 0.0)) for hit in answer["hits"]["hits"]]
        shown = queries.still_shown(ctx, search, [content_id for content_id, _ in found])
        marked: Mapping[int, Any] = {}
        if search.highlight and shown:
            marked = highlighted(ctx, search.query, search.fields, sorted(shown))
        hits = [Hit(i, score, marked.get(i, {})) for i, score in found if i in shown]
        late = len(found) - len(hits)
        values = answer["aggregations"]
        return ContentHits(
            hits, total - late, exact and not late, _facets(ctx, values), _range(values, "created"),
            _range(values, "modified"),
        )  # fmt: skip

    def _ask(self, request: Mapping[str, Any]) -> Any:
        try:
            self._index.server.verified()
            return self._index.search(request)
        except (ServerAway, ServerRefused) as error:
            log.warning("a search was not answered: %s", error)
            raise SearchEngineUnavailable("The search engine does not answer.") from None

    def users(self, ctx: Context, search: UserSearch) -> UserHits:
        """Find people, in the database."""
        return self._own.users(ctx, search)

    def spaces(self, ctx: Context, search: SpaceSearch) -> SpaceHits:
        """Find spaces, in the database."""
        return self._own.spaces(ctx, search)

    def put(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> None:
        """Note with this unit that the index has to be told; a job does it once the unit has committed."""
        if kind == "content":
            services.mark(ctx, ids)

    def create(self, kernel: Kernel) -> None:
        """Make the index where there is none, and leave a job that fills it."""
        with _told():
            services.prepare(kernel)

    def drop(self, kernel: Kernel) -> None:
        """Delete the index."""
        with _told():
            self._index.drop()

    def rebuild(self, kernel: Kernel, progress: Progress) -> None:
        """Make the index anew beside the old one."""
        with _told():
            services.rebuild(kernel, progress)

    def status(self, kernel: Kernel) -> Status:
        """Say how the index stands, or why it does not answer."""
        waiting = kernel.run(queries.number_waiting, writes=False)
        try:
            facts = self._index.facts()
        except (ServerAway, ServerRefused) as error:
            return Status(False, {"server": str(error), "waiting": waiting})
        return Status(bool(facts.pop("ready")), {**facts, "waiting": waiting})

    def differences(self, ctx: Context, kind: Kind, ids: Sequence[int]) -> Iterable[int]:
        """Compare the documents of the index with what the database has; what waits to be sent differs too."""
        if kind != "content":
            return ()
        wanted = documents.documents(ctx, ids) if ids else {}
        before = queries.id_before(ctx, ids[0] if ids else None)
        with _told(), ctx.released():
            stored = self._index.stored(ids)
            there = self._index.ids_between(before, ids[-1] if ids else None)
        return sorted({i for i in ids if stored.get(i) != wanted.get(i)} | (there - set(ids)))


class _told:  # noqa: N801 - a context manager
    """Turns what the server says into an error for the command line."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ServerAway | ServerRefused):
            raise SearchEngineUnavailable(f"The search engine: {error}") from None


def _facets(ctx: Context, values: Mapping[str, Any]) -> dict[str, list[Facet]]:
    """Return the facets: two statements for the names of spaces and people."""
    counts = {
        name: Counter({bucket["key"]: int(bucket["doc_count"]) for bucket in value["buckets"]})
        for name, value in values.items()
        if "buckets" in value
    }
    places = queries.space_names(ctx, sorted(counts["space_id"]))
    people = queries.people_names(ctx, sorted({*counts["author_id"], *counts["modifier_id"]}))
    return {
        "workspace_names": _named(counts["space_id"], places),
        "author__public_names": _named(counts["author_id"], people),
        "last_modifier__public_names": _named(counts["modifier_id"], people),
        "file_extensions": _most(counts["file_extension"]), "statuses": _most(counts["status"]),
        "content_types": _most(counts["type"]), "tags": _most(counts["tag_names"]),
    }  # fmt: skip


def _named(counts: Counter[Any], names: Mapping[int, str]) -> list[Facet]:
    named: Counter[Any] = Counter()
    for value, n in counts.items():
        if value in names:
            named[names[value]] += n
    return _most(named)


def _most(counts: Counter[Any]) -> list[Facet]:
    ordered = sorted(((v, n) for v, n in counts.items() if v), key=lambda item: (-item[1], item[0]))
    return [Facet(value, n) for value, n in ordered[:BUCKETS]]


def _range(values: Mapping[str, Any], name: str) -> Range:
    first, last = values[f"{name}_min"]["value"], values[f"{name}_max"]["value"]
    return Range(None if first is None else int(first), None if last is None else int(last))
