"""The copy of a content with everything below it: rows are copied, bytes are not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, insert, literal, select

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.plugins.spaces.api import refuse_trashed

from .. import queries
from ..errors import ContentTypeNotAllowed
from ..events import ContentCopied
from ..models import CONTENT, REVISION
from ..types import content_types
from .create import check_parent, insert_content
from .revision import name_first_revisions, named
from .update import check_quota

DEPTH = 1000
KEPT = (
    "type", "name_key", "label", "file_extension", "filename", "slug", "sort_key", "sub_content_types", "status",
    "current_revision_id",
)  # fmt: skip
TEXTS = ("label", "file_extension", "status", "sub_content_types", "description", "raw_content", "digest", "size",
         "mimetype")  # fmt: skip


def copy_content(
    ctx: Context, row: Any, space: Any, parent_id: int | None, label: str, extension: str, *, deep: bool = True
) -> int:  # fmt: skip
    """Copy a content to a place under a name and return the new id; with `deep` everything below it too.

    Comments and to-dos stay with the original; so do trashed and archived things. 3002 for a taken name, 2038
    where the folder refuses the type, 6003 and 6004 where the bytes do not fit. One event tells of all.
    """
    if row.content_type in ("comment", "todo"):
        raise ContentTypeNotAllowed
    refuse_trashed(space)
    check_parent(ctx, space.space_id, parent_id, "content", content_types(ctx.kernel)[row.content_type])
    check_quota(ctx, space, _bytes_of(ctx, row, deep=deep))
    before = _highest(ctx)
    revision = {name: getattr(row, name) for name in ("description", "raw_content", "digest", "mimetype")}
    content_id, revision_id = insert_content(
        ctx,
        {
            "space_id": space.space_id, "parent_id": parent_id, "namespace": "content", "type": row.content_type,
            "sub_content_types": row.sub_content_types, **named(label, extension),
        },
        {**revision, "revision_type": "copy", "size": row.stored_size},
    )  # fmt: skip
    if deep and row.content_type == "folder":
        _copy_below(ctx, row.content_id, content_id, space.space_id, before)
    facts = (content_id, space.space_id, parent_id, row.content_type, revision_id, label)
    ctx.emit(ContentCopied(*facts, source_id=row.content_id))
    return content_id


def _bytes_of(ctx: Context, row: Any, *, deep: bool) -> int:
    size = int(row.stored_size or 0)
    if deep and row.content_type == "folder":
        below = queries.below(row.content_id)
        total = (
            select(func.coalesce(func.sum(REVISION.c.size), 0))
            .join(CONTENT, CONTENT.c.current_revision_id == REVISION.c.revision_id)
            .where(CONTENT.c.content_id.in_(below), *_shown(CONTENT))
        )
        size += int(ctx.execute(total).scalar() or 0)
    return size


def _shown(table: Any) -> tuple[Any, ...]:
    # Not "hidden_by IS NULL": SQLite would walk that index, which has nearly all contents, instead of the tree.
    return (
        table.c.trashed_at.is_(None), table.c.archived_at.is_(None), func.coalesce(table.c.hidden_by, 0) == 0,
        table.c.type.not_in(["comment", "todo"]),
    )  # fmt: skip


def _copy_below(ctx: Context, source: int, target: int, space_id: int, mark: int) -> None:
    """Copy level by level; each copy names the revision of its original until the end."""
    constants = {
        "space_id": space_id, "namespace": "content", "is_template": 0, "author_id": ctx.actor.id,
        "last_modifier_id": ctx.actor.id, "current_revision_type": "copy", "version_number": 1,
        "created": ctx.now, "modified": ctx.now,
    }  # fmt: skip
    fixed = [literal(v, type_=CONTENT.c[k].type).label(k) for k, v in constants.items()]
    old = CONTENT.alias("old")
    pairs = queries.twins(source, target, space_id, mark)
    highest = _highest(ctx)
    for level in range(DEPTH):
        rows = (
            select(
                pairs.c.new.label("parent_id"), pairs.c.new.label("parent_key"), *fixed,
                *(old.c[name] for name in KEPT),
            )
            .select_from(pairs.join(old, old.c.parent_id == pairs.c.old))
            # A folder may be copied into itself: what the copy brings is not copied again. The sum is for SQLite,
            # which would walk all contents up to the mark, once for each pair, instead of what a folder holds.
            .where(pairs.c.depth == level, old.c.content_id + 0 <= mark, *_shown(old))
            .order_by(old.c.content_id + 0)
        )  # fmt: skip
        ctx.execute(insert(CONTENT).from_select([str(c.key) for c in rows.selected_columns], rows))
        # sqlite3 does not count the rows of a statement that begins with WITH.
        before, highest = highest, _highest(ctx)
        if highest == before:
            break
    _give_revisions(ctx, target, mark)


def _highest(ctx: Context) -> int:
    return int(ctx.execute(select(func.max(CONTENT.c.content_id))).scalar() or 0)


def _give_revisions(ctx: Context, target: int, mark: int) -> None:
    """Write the first revision of each copy and let the copy name it."""
    mine = and_(CONTENT.c.content_id.in_(queries.below(target)), CONTENT.c.content_id > mark)
    fresh = (
        select(
            CONTENT.c.content_id, literal(1).label("version_number"), literal("copy").label("revision_type"),
            literal(ctx.actor.id, type_=Id).label("author_id"), literal(ctx.now).label("created"),
            CONTENT.c.space_id, CONTENT.c.parent_id, literal(0).label("is_template"),
            literal(0).label("is_archived"), literal(0).label("is_deleted"),
            *(REVISION.c[name] for name in TEXTS),
        )
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(mine)
    )  # fmt: skip
    ctx.execute(insert(REVISION).from_select([str(c.key) for c in fresh.selected_columns], fresh))
    name_first_revisions(ctx, mine)
