"""How the index is laid out: names, analysis, fields.

Texts come folded (case, marks) and cut into words by Atrio itself, as in every engine of it, so that all find
the same; the server takes words at blanks. Stemming is the server's.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import Any

from atrio.plugins.search.api import FIELDS

from .config import LANGUAGES, ElasticConfig

VERSION = 1
"""Rises when documents or fields change: `status` then asks for a rebuild."""
LARGEST_PAGE_END = 100_000
"""Hits that can be paged through (`index.max_result_window`)."""
STEMMED = frozenset({"label", "description", "body", "more", "comments", "todos", "file"})
KEYWORDS = ("type", "status", "file_extension", "tag_names")
NUMBERS = ("content_id", "space_id", "author_id", "modifier_id", "created", "modified")
FLAGS = ("hidden", "trashed", "archived")


def alias_of(settings: ElasticConfig) -> str:
    """Return the name by which the index is asked and written to."""
    return f"{settings.index_prefix}-content"


def next_alias_of(settings: ElasticConfig) -> str:
    """Return the name of the index that is being filled, while one is."""
    return f"{settings.index_prefix}-next-content"


def index_name(settings: ElasticConfig) -> str:
    """Return the name of a new index."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d%H%M%S%f")
    return settings.index_pattern_template.format(index_alias=alias_of(settings), date=now)


def index_pattern(settings: ElasticConfig) -> str:
    """Return the pattern of the names of all indexes."""
    return settings.index_pattern_template.format(index_alias=alias_of(settings), date="*")


def fingerprint(settings: ElasticConfig) -> str:
    """Name the layout: an index with another one has to be rebuilt."""
    return hashlib.sha256(json.dumps([VERSION, _analysis(settings), _fields(settings)]).encode()).hexdigest()[:16]


def body(settings: ElasticConfig) -> dict[str, Any]:
    """Return settings and mappings of an index."""
    return {
        "settings": {
            "index": {
                "number_of_shards": settings.shards, "number_of_replicas": settings.replicas,
                "max_result_window": LARGEST_PAGE_END,
            },
            "analysis": _analysis(settings),
        },
        "mappings": {
            "dynamic": "strict", "_meta": {"layout": fingerprint(settings)}, "properties": _fields(settings),
        },
    }  # fmt: skip


def template(settings: ElasticConfig) -> dict[str, Any]:
    """Return the index template: what an index gets that somebody makes by hand."""
    return {"index_patterns": [index_pattern(settings)], "priority": 200, "template": body(settings)}


def _analysis(settings: ElasticConfig) -> dict[str, Any]:
    analyzers: dict[str, Any] = {"words": {"type": "custom", "tokenizer": "whitespace"}}
    filters: dict[str, Any] = {}
    for language in sorted(settings.languages):
        stop_words, stemmer = LANGUAGES[language]
        filters[f"{language}_stop"] = {"type": "stop", "stopwords": stop_words}
        filters[f"{language}_stemmer"] = {"type": "stemmer", "language": stemmer}
        analyzers[f"stemmed_{language}"] = {
            "type": "custom", "tokenizer": "whitespace", "filter": [f"{language}_stop", f"{language}_stemmer"],
        }  # fmt: skip
    return {"analyzer": analyzers, "filter": filters}


def _fields(settings: ElasticConfig) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"type": "long"} for name in NUMBERS}
    fields |= {name: {"type": "keyword", "ignore_above": 8191} for name in KEYWORDS}
    fields |= {name: {"type": "boolean"} for name in FLAGS}
    for name in FIELDS:
        fields[name] = {"type": "text", "analyzer": "words", "index_prefixes": {"min_chars": 2, "max_chars": 10}}
        if name in STEMMED and settings.languages:
            fields[name]["fields"] = {
                language: {"type": "text", "analyzer": f"stemmed_{language}"}
                for language in sorted(settings.languages)
            }
    return fields
