"""What other plugins add to the texts of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from atrio.kernel.context import Context

TAGS = "tags"
"""The field whose values are a filter and a facet of the wire too."""


def searchables(ctx: Context) -> tuple[Mapping[str, Any], ...]:
    """Return what other plugins offer to the search; asked once for an instance."""

    def collect() -> tuple[Mapping[str, Any], ...]:
        offered = ctx.kernel.hooks.hook.register_searchables()
        return tuple(entry for given in offered for entry in given or ())

    return ctx.kernel.memo("search.searchables", collect)


def texts_of(ctx: Context, content_ids: Sequence[int]) -> dict[int, tuple[list[str], list[str]]]:
    """Return the tags, and all other texts that plugins add, of some contents: one statement a plugin."""
    found: dict[int, tuple[list[str], list[str]]] = {i: ([], []) for i in content_ids}
    for entry in searchables(ctx):
        given = entry["texts"](ctx, content_ids)
        for content_id, texts in given.items():
            if content_id in found:
                found[content_id][0 if entry["field"] == TAGS else 1].extend(texts)
    return found


def _tags(ctx: Context, name: str) -> Any:
    return next((e[name] for e in searchables(ctx) if e["field"] == TAGS and name in e), None)


def with_tags(ctx: Context, names: Sequence[str]) -> Select[Any] | None:
    """Return a SELECT of the contents that carry one of some tags; None where there are no tags."""
    carriers = _tags(ctx, "carriers")
    return None if carriers is None else carriers(names)


def tag_counts(ctx: Context, hits: Select[Any]) -> Select[Any] | None:
    """Return a SELECT of value and count over the contents of a SELECT; None where there are no tags."""
    counts = _tags(ctx, "counts")
    return None if counts is None else counts(hits)


def carried(ctx: Context) -> Select[Any] | None:
    """Return a SELECT of all contents that carry a tag; None where nobody tells."""
    found: Select[Any] | None = _tags(ctx, "carried")
    return found
