"""Removal of single revisions, for operators: the API never deletes history."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from atrio.kernel.context import Context

from .. import queries
from ..errors import ContentNotFound, OnlyRevision
from ..events import ContentModified
from ..models import CONTENT, REVISION
from .revision import POINT_TO_REVISION, named, write_named

KEPT = ("status", "sub_content_types", "is_template")


def delete_revision(ctx: Context, revision_id: int) -> int:
    """Delete one revision for good and return its content's id; the newest left becomes the current one.

    ContentNotFound when there is no such revision, OnlyRevision when the content has no other. Numbers of the
    others stay.
    """
    old = queries.ONE_REVISION.first(ctx, revision_id=revision_id)
    if old is None:
        raise ContentNotFound(f"no revision has the id {revision_id}")
    others = REVISION.c.content_id == old.content_id, REVISION.c.revision_id != revision_id
    left = ctx.execute(select(REVISION).where(*others).order_by(REVISION.c.version_number.desc()).limit(1)).first()
    if left is None:
        raise OnlyRevision(f"revision {revision_id} is the only one of content {old.content_id}")
    current = ctx.execute(
        select(CONTENT.c.current_revision_id, CONTENT.c.name_key, CONTENT.c.parent_id, CONTENT.c.type).where(
            CONTENT.c.content_id == old.content_id
        )
    ).one()
    if current.current_revision_id == revision_id:
        _go_back(ctx, old.content_id, current, left)
    ctx.execute(delete(REVISION).where(REVISION.c.revision_id == revision_id))
    ctx.emit(
        ContentModified(
            old.content_id, left.space_id, current.parent_id, current.type, left.revision_id, left.label,
            change=left.revision_type,
        )
    )  # fmt: skip
    return int(old.content_id)


def _go_back(ctx: Context, content_id: int, current: Any, left: Any) -> None:
    values: dict[str, Any] = {
        "current_revision_id": left.revision_id, "current_revision_type": left.revision_type,
        "version_number": left.version_number, "modified": ctx.now, "last_modifier_id": left.author_id,
        **{name: getattr(left, name) for name in KEPT}, **named(left.label, left.file_extension),
    }  # fmt: skip
    if current.name_key is None:
        values["name_key"] = None
    write_named(ctx, POINT_TO_REVISION.run, {"key": content_id, **values})


def children_of(ctx: Context, content_id: int) -> int:
    """Return how many contents lie below one."""
    below = queries.below(content_id).subquery()
    return int(ctx.execute(select(func.count()).select_from(below)).scalar() or 0)
