"""Hooks that webdav offers to other plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from atrio.kernel.markers import hookspec


@hookspec
def register_dav_trees() -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return folders that stand at the top of everybody's drive beside the spaces, as plain mappings.

    `name` is the folder's. The rest are functions that run in a unit of work of the user who asks (`ctx.actor`)
    and look at his rights themselves; a `path` is a tuple of names below the folder, empty for the folder itself.

    - `list(ctx, path)`: entries of what lies there;
    - `find(ctx, path)`: the entry of one thing, None when this user sees nothing there;
    - `read(ctx, path)`: the bytes of a file, which are held in memory;
    - optional `write(ctx, path, source, media)`: store a new or an existing file from the file `source`;
    - optional `delete(ctx, path)`.

    An entry is a mapping with `name`, `folder` (false), `size`, `media`, `created` and `modified` (microseconds)
    and `etag` (a text that is another one whenever the bytes are). Errors are those of the kernel. Things in such
    a tree are not locked, moved or copied, and hold no dead properties.
    """
