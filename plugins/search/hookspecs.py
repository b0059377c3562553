"""Hooks that search offers to other plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.config import Config


@hookspec
def register_searchables() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return further texts by which contents are found, as plain mappings.

    `field` names the texts (`tags`; anything else is searched with the text of the content). `texts` is called
    with the context and some content ids and returns the texts of those that have any, by id, in one statement.
    The search asks again when a unit emits an event whose class says `searched = True` and that carries
    `content_id` or `content_ids`: the texts are found as soon as that unit has committed.

    The field `tags` is a filter and a facet too: `carriers(names)` returns a SELECT of the ids of contents with
    one of these, `counts(hits)` a SELECT of value and count over a SELECT of content ids, the most frequent
    first. None of them looks at rights or states: the search does.
    """


@hookspec
def register_search_engine(config: Config) -> Mapping[str, Callable[[Any], Any]]:  # type: ignore[empty-body]
    """Return engines by the name that `search.engine` chooses: factories called with the kernel, once.

    An engine has what `atrio.plugins.search.hookspecs` documents as its interface in `search/engines`: searches
    for contents, people and spaces, `put` for what changed, and what `atrio search index` does.
    """
