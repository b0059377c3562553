"""Moves of contents with everything below them: the same number of statements for any tree."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, insert, literal, select, update

from atrio.kernel.context import Context

from .. import queries
from ..errors import (
    ContentNotFound,
    ContentTypeNotAllowed,
    FeatureDisabled,
    MoveIntoChild,
    MoveIntoItself,
    NamespaceMismatch,
    NotEditable,
    UnallowedSubcontent,
    WorkspacesDoNotMatch,
)
from ..events import ContentMoved
from ..models import CONTENT, READ, REVISION
from .revision import next_revision


def move(
    ctx: Context, row: Any, space: Any, parent_id: int | None, name: tuple[str, str] | None = None
) -> int:  # fmt: skip
    """Move a content to a parent, or to the root, of a space; its subtree comes with it.

    With a name (label and extension) it has another one there, in the same revision.

    2031 for comments and to-dos, which live with their content; 2032 for a parent of another space, 3009 and
    3010 for a move into itself, 2038 where the folder refuses the type, 3002 for a taken name.
    """
    if row.content_type in ("comment", "todo"):
        raise ContentTypeNotAllowed
    if row.hidden_by is not None:
        raise NotEditable
    if parent_id is not None:
        _check_parent(ctx, row, space, parent_id)
    return _relocate(ctx, row, space.space_id, parent_id, "content", name)


def _check_parent(ctx: Context, row: Any, space: Any, parent_id: int) -> None:
    if parent_id == row.content_id:
        raise MoveIntoItself
    way = queries.WAY.all(ctx, content_id=parent_id)
    if not way:
        raise ContentNotFound
    if way[-1].space_id != space.space_id:
        seen = queries.LOCATE.first(ctx, content_id=parent_id, user_id=ctx.actor.id or 0)
        raise WorkspacesDoNotMatch if seen is not None else ContentNotFound
    if any(step.content_id == row.content_id for step in way):
        raise MoveIntoChild
    parent = queries.PARENT.first(ctx, content_id=parent_id, space_id=space.space_id)
    assert parent is not None
    if parent.trashed_at is not None or parent.archived_at is not None or parent.hidden_by is not None:
        raise ContentNotFound
    if parent.type in ("comment", "todo"):
        raise UnallowedSubcontent
    if parent.namespace != "content":
        raise NamespaceMismatch
    allowed = parent.sub_content_types.split(",")
    if parent.type == "folder" and row.content_type not in allowed and parent_id != row.parent_id:
        raise UnallowedSubcontent


def change_namespace(ctx: Context, row: Any, space: Any, namespace: str) -> int:
    """Bring a thread from the tree to the news of its space, or back; it goes to the root there."""
    if {row.content_namespace, namespace} - {"content", "publication"}:
        raise NamespaceMismatch
    if row.hidden_by is not None:
        raise NotEditable
    if namespace == "publication" and not space.publication_enabled:
        raise FeatureDisabled
    return _relocate(ctx, row, row.workspace_id, None, namespace)


def _relocate(
    ctx: Context, row: Any, space_id: int, parent_id: int | None, namespace: str,
    name: tuple[str, str] | None = None,
) -> int:  # fmt: skip
    label, extension = name or (row.label, row.file_extension)
    revision_id = next_revision(
        ctx, row, "move", event=ContentMoved, space_id=space_id, parent_id=parent_id, label=label,
        file_extension=extension,
        current={
            "space_id": space_id, "parent_id": parent_id, "parent_key": parent_id or 0, "namespace": namespace,
        },
    )  # fmt: skip
    if (space_id, namespace) != (row.workspace_id, row.content_namespace):
        _relocate_below(ctx, row.content_id, space_id, namespace)
    return revision_id


COPIED = (
    "parent_id", "label", "file_extension", "status", "sub_content_types", "is_template", "is_archived",
    "is_deleted", "description", "raw_content", "digest", "size", "mimetype",
)  # fmt: skip


def _relocate_below(ctx: Context, root: int, space_id: int, namespace: str) -> None:
    """Give every descendant its `move` revision and its new space; who had read it, still has."""
    below = queries.below(root)
    fresh = (
        select(
            CONTENT.c.content_id, (CONTENT.c.version_number + 1).label("version_number"),
            literal("move").label("revision_type"), literal(ctx.actor.id).label("author_id"),
            literal(ctx.now).label("created"), literal(space_id).label("space_id"),
            *(REVISION.c[name] for name in COPIED),
        )
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(CONTENT.c.content_id.in_(below))
    )  # fmt: skip
    ctx.execute(insert(REVISION).from_select([str(c.key) for c in fresh.selected_columns], fresh))
    newest = (
        select(REVISION.c.revision_id)
        .where(
            REVISION.c.content_id == CONTENT.c.content_id,
            REVISION.c.version_number == CONTENT.c.version_number + 1,
        )
        .correlate(CONTENT)
        .scalar_subquery()
    )
    before = (
        select(CONTENT.c.current_revision_id).where(CONTENT.c.content_id == READ.c.content_id).correlate(READ)
    ).scalar_subquery()
    after = select(newest).where(CONTENT.c.content_id == READ.c.content_id).correlate(READ).scalar_subquery()
    ctx.execute(
        update(READ)
        .where(and_(READ.c.content_id.in_(below), READ.c.revision_id >= before))
        .values(revision_id=after)
    )
    ctx.execute(
        update(CONTENT)
        .where(CONTENT.c.content_id.in_(below))
        # In this order: MariaDB assigns from left to right, and the first looks at the old number.
        .ordered_values(
            (CONTENT.c.current_revision_id, newest), (CONTENT.c.version_number, CONTENT.c.version_number + 1),
            (CONTENT.c.current_revision_type, "move"), (CONTENT.c.space_id, bindparam("new_space")),
            (CONTENT.c.namespace, bindparam("new_namespace")), (CONTENT.c.modified, ctx.now),
            (CONTENT.c.last_modifier_id, ctx.actor.id),
        ),
        {"new_space": space_id, "new_namespace": namespace},
    )  # fmt: skip
