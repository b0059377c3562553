"""The tree: adjacency and recursive CTEs; no path is stored, so a move touches one row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, literal, select
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.spaces.api import member_space_ids

from ..models import Content

DEPTH = 1000
"""No way up is longer: a guard against a loop that somebody wrote into the table by hand."""

_start = (
    select(Content.content_id, Content.parent_id, literal(0).label("depth"))
    .where(Content.content_id == bindparam("content_id"))
    .cte("up", recursive=True)
)
_parent = aliased(Content, name="parent")
_up = _start.union_all(
    select(_parent.content_id, _parent.parent_id, _start.c.depth + 1).where(
        _parent.content_id == _start.c.parent_id, _start.c.depth < DEPTH
    )
)
_on_the_way = aliased(Content, name="step")
WAY = Statement(
    select(
        _on_the_way.content_id, _on_the_way.space_id, _on_the_way.label.label("label"), _on_the_way.slug,
        _on_the_way.type.label("content_type"), _on_the_way.trashed_at, _on_the_way.archived_at,
    )
    .join(_up, _up.c.content_id == _on_the_way.content_id)
    .order_by(_up.c.depth.desc()),
    "WayRow",
)  # fmt: skip
"""From the root to a content, itself last."""


def ancestors(ctx: Context, space_id: int, content_id: int) -> list[int]:
    """Return the ids of the contents on the way from the root to one of this space, itself left out."""
    rows = WAY.all(ctx, content_id=content_id)
    return [r.content_id for r in rows if r.content_id != content_id and r.space_id == space_id]


def below(root: Any) -> Select[tuple[int]]:
    """Return a SELECT of the ids of all descendants of a content, itself left out."""
    start = select(Content.content_id).where(Content.parent_id == root).cte("down", recursive=True, nesting=True)
    child = aliased(Content, name="child")
    down = start.union_all(select(child.content_id).join(start, child.parent_id == start.c.content_id))
    # One more level: MariaDB takes no UPDATE whose subquery names the updated table directly.
    inner = select(down.c.content_id).subquery("descendants")
    return select(inner.c.content_id)


LOCATE = Statement(
    select(
        Content.content_id, Content.space_id, Content.parent_id, Content.type.label("content_type"),
        Content.hidden_by,
    ).where(
        Content.content_id == bindparam("content_id"),
        Content.space_id.in_(member_space_ids(bindparam("user_id"))),
    ),
    "LocatedRow",
)  # fmt: skip
"""Where a content is, for a member of its space; nothing for anybody else."""

KNOWN_LABELS = Statement(
    select(Content.label.label("label")).where(
        Content.space_id == bindparam("space_id"), Content.parent_key == bindparam("parent_key"),
        Content.namespace == bindparam("namespace"), Content.name_key.is_not(None),
        Content.file_extension == bindparam("file_extension"),
        Content.label.like(bindparam("pattern"), escape="!"),
    ),
    "LabelRow",
)  # fmt: skip
