"""Hooks that system offers to other plugins; what they return are plain mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from atrio.kernel.markers import hookspec

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel


@hookspec
def register_applications(kernel: Kernel) -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return the applications of this plugin, as clients list them.

    Keys: `order` (int; 10 to 70 are the content types, then agenda 80, share 90, upload 100, gallery 110),
    `slug`, `label`, `fa_icon`, `hexcolor` (when the colour file does not know the slug), and, where needed,
    `config` (a mapping, default empty), `is_active` (default true; others are not listed) and `script` (the
    name of its script in a front-end build, `<script>.app.optimized.js`).
    """


@hookspec
def register_content_type_facts(kernel: Kernel) -> Iterable[Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return the content types of this plugin in their order.

    Keys: `slug`, `label`, `creation_label`, `fa_icon`, `hexcolor` (empty: none; `primary`: that colour),
    and `available_statuses`, mappings with `slug`, `global_status`, `label`, `fa_icon`, `hexcolor`.
    """
