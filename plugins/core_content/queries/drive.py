"""Reads for doors that show the tree as a drive: what lies in a folder, and what a path leads to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from sqlalchemy import CTE, Select, and_, bindparam, func, literal, select
from sqlalchemy.orm import aliased

from atrio.kernel.db.base import Id
from atrio.kernel.db.order import byte_length
from atrio.kernel.db.statement import Statement

from ..models import CONTENT, Content, Revision
from .columns import VISIBLE

STEPS = 8
"""How many names of a path one statement follows."""


def _columns(content: Any) -> tuple[Any, ...]:
    return (
        content.content_id, content.space_id, content.parent_id, content.label.label("label"),
        content.file_extension, content.type.label("content_type"), content.status, content.created,
        content.modified, content.current_revision_id, Revision.mimetype, Revision.digest,
        func.coalesce(Revision.size, byte_length(Revision.raw_content)).label("size"),
    )  # fmt: skip


def _shown(content: Any) -> tuple[Any, ...]:
    return (
        content.trashed_at.is_(None), content.archived_at.is_(None), content.hidden_by.is_(None),
        content.type != literal("comment"), content.type != literal("todo"),
    )  # fmt: skip


LISTED = Statement(
    select(*_columns(Content))
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .where(VISIBLE, Content.namespace == bindparam("namespace"))
    .where(Content.type != literal("comment"), Content.type != literal("todo"))
    .where(Content.space_id == bindparam("space_id"), Content.parent_key == bindparam("parent_key"))
    .order_by(Content.content_id),
    "DriveRow",
)
"""What lies in a folder, or at the root of a space with parent_key 0; without texts."""


def tree_query(space_id: int, roots: Sequence[int] | None, limit: int) -> Select[Any]:
    """Return the SELECT of what lies below some contents of a space, they themselves included, as drives show it.

    `roots` None: the whole space. Only folders are gone into; at most `limit` rows, without texts, by id.
    """
    top = aliased(Content, name="top")
    begun = select(top.content_id, top.type).where(
        top.space_id == space_id, top.namespace == "content", *_shown(top),
        top.parent_key == 0 if roots is None else top.content_id.in_(roots),
    )  # fmt: skip
    tree = begun.cte("tree", recursive=True)
    below = aliased(Content, name="below")
    tree = tree.union(  # not UNION ALL: what is chosen twice comes once, and a loop ends
        select(below.content_id, below.type).where(
            below.parent_id == tree.c.content_id, tree.c.type == literal("folder"), below.namespace == "content",
            *_shown(below),
        )
    )  # fmt: skip
    return (
        select(*_columns(Content))
        .join(tree, tree.c.content_id == Content.content_id)
        .join(Revision, Revision.revision_id == Content.current_revision_id)
        .order_by(Content.content_id)
        .limit(limit)
    )


def path_query(length: int) -> tuple[Select[Any], list[Any]]:
    """Return the SELECT that follows so many names from a folder, and the contents on the way (as aliases).

    It gives the row of the last; `with_steps` adds the ids. Names are bound as `name_0` and so on. Only folders
    are gone through.
    """
    steps = [aliased(Content, name=f"step{i}") for i in range(length)]
    last = steps[-1]
    query = select(*_columns(last)).select_from(steps[0])
    for before, step in pairwise(steps):
        query = query.join(step, and_(step.space_id == before.space_id, step.parent_key == before.content_id))
        query = query.where(before.type == literal("folder"))
    query = query.join(Revision, Revision.revision_id == last.current_revision_id)
    query = query.where(steps[0].space_id == bindparam("space_id"), steps[0].parent_key == bindparam("parent_key"))
    for i, step in enumerate(steps):
        query = query.where(
            step.name_key == bindparam(f"name_{i}"), step.namespace == bindparam("namespace"), *_shown(step)
        )
    return query, steps


def with_steps(query: Select[Any], steps: Sequence[Any]) -> Select[Any]:
    """Return such a SELECT with the ids on the way behind its other columns."""
    return query.add_columns(*(step.content_id.label(f"step_{i}") for i, step in enumerate(steps)))


@cache
def path_statement(length: int) -> Statement:
    """Return the statement that follows so many names from a folder: the row of the last, the ids on the way."""
    return Statement(with_steps(*path_query(length)), "DriveStep")


def twins(source_id: int, target_id: int, space_id: int, mark: int | None = None) -> CTE:
    """Return pairs (old, new, depth) of a tree and its copy: what has the same name at the same place in both.

    `space_id` is that of the copy.

    `mark` tells them apart where the copy lies inside the tree: ids up to it are of the tree, later ones of the
    copy.
    """
    pairs = select(
        literal(source_id, type_=Id).label("old"), literal(target_id, type_=Id).label("new"),
        literal(0).label("depth"),
    ).cte("twins", recursive=True)  # fmt: skip
    old, new = CONTENT.alias("old_content"), CONTENT.alias("new_content")
    shown = [c for table in (old, new) for c in (table.c.name_key.is_not(None), table.c.namespace == "content")]
    if mark is not None:
        shown += [old.c.content_id <= mark, new.c.content_id > mark]
    return pairs.union_all(
        select(old.c.content_id, new.c.content_id, pairs.c.depth + 1)
        .select_from(pairs)
        .join(old, old.c.parent_id == pairs.c.old)
        .join(
            new,
            and_(
                new.c.space_id == space_id, new.c.parent_key == pairs.c.new, new.c.namespace == "content",
                new.c.name_key == old.c.name_key,
            ),
        )
        .where(*shown)
    )  # fmt: skip
