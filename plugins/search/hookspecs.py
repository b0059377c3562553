"""Hooks that search offers to other plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.config import Config


@hookspec
def register_extractors() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return what reads the text of files: `module:function` by media type, before what search itself can read.

    The function is called with the path of the bytes and the number of characters that are wanted, and returns
    the text or yields pieces of it; ValueError says why there is none. It runs in a process of its own with
    limits of time and memory, without the environment, and without Atrio: the packages around its module are
    not run there, so the module imports all it needs by itself, and quickly.
    """


@hookspec
def register_searchables() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return further texts by which contents are found, as plain mappings.

    `field` names the texts (`tags`; anything else is searched with the text of the content). `texts` is called
    with the context and some content ids and returns the texts of those that have any, by id, in one statement.
    The search asks again when a unit emits an event whose class says `searched = True` and that carries
    `content_id` or `content_ids`: the texts are found as soon as that unit has committed.

    The field `tags` is a filter and a facet too: `carriers(names)` returns a SELECT of the ids of contents with
    one of these, `counts(hits)` a SELECT of value and count over a SELECT of content ids, the most frequent
    first; `carried`, which may be missing, is a SELECT of the ids of all contents with a tag. None of them looks
    at rights or states: the search does.
    """


@hookspec
def register_search_engine(config: Config) -> Mapping[str, Callable[[Any], Any]]:  # type: ignore[empty-body]
    """Return engines by the name that `search.engine` chooses: factories called with the kernel, once.

    An engine has what `atrio.plugins.search.hookspecs` documents as its interface in `search/engines`: searches
    for contents, people and spaces, `put` for what changed, and what `atrio search index` does.
    """
