"""Hooks that preview offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atrio.kernel.markers import hookspec


@hookspec
def register_previewers() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return what makes previews of further types of files, as plain mappings; they go before those of preview.

    `name` and `version` name what it makes: a higher version builds all anew. `media` are media types,
    `extensions` extensions with their dot. `makes` is `image` or `pdf`; `target`, as `module:function`, is called
    with `path` of the bytes, `out` where to write one or the other (a picture that Pillow reads), and `options`;
    any exception says that there is none. It runs in a process of its own with limits of time and memory, without
    the environment, and without Atrio: the packages around its module are not run there. With `tool` it may start
    programs and has their limits.
    """
