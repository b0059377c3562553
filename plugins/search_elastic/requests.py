"""Searches as the server takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from atrio.plugins.search.api import BUCKETS, FIELDS, ContentSearch, Query, Range, Term, columns_of

from .config import ElasticConfig
from .layout import LARGEST_PAGE_END, STEMMED

BOOSTS = {
    "label": 8, "filename": 8, "tags": 5, "description": 3, "body": 3, "more": 3, "file": 3, "comments": 1,
    "todos": 1,
}  # fmt: skip
STEM = 0.5
"""What a word in another form counts for, of what the word itself does."""
EXPANSIONS = 1000
"""Words that the begun last word of a phrase is completed to, where the server has no better way."""
IDS = ("space_id", "author_id", "modifier_id")
VALUES = ("file_extension", "status", "type", "tag_names")
TIMES = ("created", "modified")
NAMED = 200
"""Values of facets that are ids: those of one name are counted together."""


@dataclass(frozen=True)
class Scope:
    """What the database says of a search: where the searcher may look, and ids for the names of its filters.

    `not_these` are contents that the index has otherwise than the database, and the searcher may not find.
    """

    space_ids: Sequence[int]
    author_ids: Sequence[int] | None = None
    modifier_ids: Sequence[int] | None = None
    not_these: Sequence[int] = ()


def content_request(search: ContentSearch, scope: Scope, settings: ElasticConfig) -> dict[str, Any]:
    """Return the request for one page with facets."""
    columns = columns_of(search.fields) or FIELDS
    beyond = search.offset + search.limit > LARGEST_PAGE_END
    return {
        "query": {
            "bool": {
                **_matching(search.query, columns, settings.languages),
                "filter": [*_filters(search, scope)],
            }
        },
        "from": 0 if beyond else search.offset, "size": 0 if beyond else search.limit,
        "track_total_hits": True, "track_scores": True, "_source": False,
        "sort": [{"_score": "desc"}, {"modified": "desc"}, {"content_id": "desc"}],
        "aggs": {
            **{name: {"terms": {"field": name, "size": NAMED}} for name in IDS},
            **{name: {"terms": {"field": name, "size": BUCKETS}} for name in VALUES},
            **{f"{name}_{end}": {end: {"field": name}} for name in TIMES for end in ("min", "max")},
        },
    }  # fmt: skip


def _filters(search: ContentSearch, scope: Scope) -> Iterable[dict[str, Any]]:
    yield {"terms": {"space_id": list(scope.space_ids)}}
    yield {"term": {"hidden": False}}
    states: list[dict[str, Any]] = []
    if search.active:
        states.append({"bool": {"must_not": [{"term": {"trashed": True}}, {"term": {"archived": True}}]}})
    if search.deleted:
        states.append({"term": {"trashed": True}})
    if search.archived:
        states.append({"term": {"archived": True}})
    yield {"bool": {"should": states, "minimum_should_match": 1}}
    for name, values in (
        ("type", search.content_types), ("file_extension", search.file_extensions), ("status", search.statuses),
        ("tag_names", search.tags),
    ):  # fmt: skip
        if values:
            yield {"terms": {name: list(values)}}
    for name, ids in (("author_id", scope.author_ids), ("modifier_id", scope.modifier_ids)):
        if ids is not None:
            yield {"terms": {name: list(ids)}}
    yield from (
        _span(n, r) for n, r in (("created", search.created), ("modified", search.modified)) if r != Range()
    )
    if scope.not_these:
        yield {"bool": {"must_not": [{"terms": {"content_id": list(scope.not_these)}}]}}


def _span(name: str, wanted: Range) -> dict[str, Any]:
    ends = {"gte": wanted.start, "lte": wanted.end}
    return {"range": {name: {key: value for key, value in ends.items() if value is not None}}}


def _matching(query: Query, columns: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """Return the clauses of the words: every group must match, by any of its terms, in any field."""
    return {
        "must": [_any([_term(term, columns, languages) for term in group]) for group in query.wanted],
        "must_not": [_term(term, columns, languages) for term in query.unwanted],
    }


def _any(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def _term(term: Term, columns: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """Return the clause of one term; its words are letters and digits only, no syntax of the server's."""
    fields = [f"{name}^{BOOSTS[name]}" for name in columns]
    if term.kind == "prefix" and len(term.words) == 1:
        return _begins(term.text, columns, languages if term.typed else ())
    if len(term.words) > 1:
        how = (
            {"type": "phrase_prefix", "max_expansions": EXPANSIONS}
            if term.kind == "prefix"
            else {"type": "phrase"}
        )
        return {"multi_match": {"query": term.text, "fields": fields, **how}}
    forms = [] if term.kind == "phrase" else _stems(columns, languages)  # what was quoted means itself
    return {"multi_match": {"query": term.text, "fields": [*fields, *forms]}}


def _begins(text: str, columns: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """Return the clause of a beginning: every word with it counts alike, the whole word and its forms more."""
    begins = [{"prefix": {name: {"value": text, "boost": BOOSTS[name]}}} for name in columns]
    whole = [f"{name}^{BOOSTS[name]}" for name in columns] + _stems(columns, languages)
    exact = {"multi_match": {"query": text, "fields": whole}}
    return {"bool": {"should": [{"dis_max": {"queries": begins}}, exact], "minimum_should_match": 1}}


def _stems(columns: Sequence[str], languages: Sequence[str]) -> list[str]:
    return [
        f"{name}.{language}^{BOOSTS[name] * STEM}" for name in columns if name in STEMMED for language in languages
    ]
