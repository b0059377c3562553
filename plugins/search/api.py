"""What other plugins may use of search: what an engine of their own needs."""

from __future__ import annotations

from .choice import chosen_engine, embedded, languages
from .engines import (
    BUCKETS,
    ContentHits,
    ContentSearch,
    Engine,
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
from .engines.conditions import PARTS, shown_to
from .engines.indexes.fields import columns_of
from .errors import SearchEngineUnavailable
from .folding import words
from .highlights import highlighted
from .language import Query, Term
from .models import FIELDS, STALE, TEXT
from .queries import count_of, next_ids
from .searchables import texts_of

__all__ = [
    "BUCKETS", "FIELDS", "PARTS", "STALE", "TEXT", "ContentHits", "ContentSearch", "Engine", "Facet", "Hit",
    "Kind", "Progress", "Query", "Range", "SearchEngineUnavailable", "SpaceHits", "SpaceSearch", "Status", "Term",
    "UserHits", "UserSearch", "chosen_engine", "columns_of", "count_of", "embedded", "highlighted", "languages",
    "next_ids", "shown_to", "texts_of", "words",
]  # fmt: skip
