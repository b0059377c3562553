"""Reads of core_content. Statements are built once; the few shapes of the list are kept by shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns

from .models import Content, Revision

_author, _author_is, _author_columns = digest_columns(Content.author_id, "author")
_modifier, _modifier_is, _modifier_columns = digest_columns(Content.last_modifier_id, "last_modifier")

EDITABLE = type_coerce(
    case(
        (
            and_(
                Content.status == "open",
                Content.trashed_at.is_(None),
                Content.archived_at.is_(None),
                Content.hidden_by.is_(None),
            ),
            1,
        ),
        else_=0,
    ),
    Integer,
)
VISIBLE = and_(Content.trashed_at.is_(None), Content.archived_at.is_(None), Content.hidden_by.is_(None))
"""Neither trashed nor archived, nor below such a content."""
TRASHED = type_coerce(case((Content.trashed_at.is_(None), 0), else_=1), Integer)
ARCHIVED = type_coerce(case((Content.archived_at.is_(None), 0), else_=1), Integer)

DIGEST = (
    Content.content_id, Content.space_id.label("workspace_id"), Content.parent_id, Content.label.label("label"),
    Content.slug, Content.filename, Content.file_extension, Content.type.label("content_type"),
    Content.namespace.label("content_namespace"), Content.status, ARCHIVED.label("is_archived"),
    TRASHED.label("is_deleted"), Content.is_template, EDITABLE.label("is_editable"),
    Content.sub_content_types, Content.current_revision_id, Content.current_revision_type, Content.created,
    Content.modified, Content.assignee_id, *_author_columns, *_modifier_columns,
)  # fmt: skip
DETAIL = (
    Content.version_number, Revision.description, Revision.raw_content, Revision.mimetype,
    func.coalesce(Revision.size, func.length(Revision.raw_content)).label("size"),
    Revision.digest, Revision.size.label("stored_size"), Content.parent_key, Content.name_key,
)  # fmt: skip


def _with_people(query: Select[Any]) -> Select[Any]:
    return query.outerjoin(_author, _author_is).outerjoin(_modifier, _modifier_is)


def _contributed(ctx: Context) -> list[Any]:
    return list(ctx.kernel.contributed("content", Content.content_id).values())


def one_statement(ctx: Context) -> Statement:
    """Return the statement of one content with its text and bytes, in one space."""

    def build() -> Statement:
        query = _with_people(
            select(*DIGEST, *DETAIL, *_contributed(ctx))
            .select_from(Content)
            .join(Revision, Revision.revision_id == Content.current_revision_id)
        ).where(Content.content_id == bindparam("content_id"), Content.space_id == bindparam("space_id"))
        return Statement(query, "ContentRow")

    return ctx.kernel.memo("core_content.one", build)


def one(ctx: Context, space_id: int, content_id: int) -> Any | None:
    """Return one content with everything its own routes show."""
    return one_statement(ctx).first(ctx, content_id=content_id, space_id=space_id)


def digest_statement(ctx: Context) -> Statement:
    """Return the statement of one content as lists show it."""

    def build() -> Statement:
        query = _with_people(select(*DIGEST, *_contributed(ctx)).select_from(Content))
        return Statement(query.where(Content.content_id == bindparam("content_id")), "DigestRow")

    return ctx.kernel.memo("core_content.digest", build)


def digest_query(ctx: Context, prefix: str = "") -> Select[Any]:
    """Return the SELECT of contents as lists show them, for another plugin to join and filter.

    With a prefix (`content__`) each column carries it, for answers that nest the content.
    """
    columns = [c.label(f"{prefix}{c.key}") for c in (*DIGEST, *_contributed(ctx))] if prefix else DIGEST
    return _with_people(select(*columns, *(() if prefix else _contributed(ctx))).select_from(Content))


TEXT = Statement(
    select(Revision.raw_content, Revision.description, Revision.content_id, Revision.version_number).where(
        Revision.revision_id == bindparam("revision_id")
    ),
    "TextRow",
)


def text_of(ctx: Context, revision_id: int) -> Any | None:
    """Return raw_content, description, content_id and version_number of a revision."""
    return TEXT.first(ctx, revision_id=revision_id)


PARENT = Statement(
    select(
        Content.content_id,
        Content.type,
        Content.namespace,
        Content.sub_content_types,
        Content.trashed_at,
        Content.archived_at,
    ).where(Content.content_id == bindparam("content_id"), Content.space_id == bindparam("space_id")),
    "ParentRow",
)
CHILD = Statement(
    select(Content.content_id, Content.type, Revision.digest, Revision.size)
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .where(
        Content.space_id == bindparam("space_id"),
        Content.parent_key == bindparam("parent_key"),
        Content.namespace == bindparam("namespace"),
        Content.name_key == bindparam("name_key"),
    ),
    "ChildRow",
)
USED = Statement(
    select(func.coalesce(func.sum(Revision.size), 0).label("used"))
    .join(Content, Content.content_id == Revision.content_id)
    .where(
        Content.space_id == bindparam("space_id"),
        Content.trashed_at.is_(None),
        Content.archived_at.is_(None),
    ),
    "Used",
)
TREE_LEVEL = Statement(
    select(
        Content.content_id, Content.type, Content.label.label("label"), Content.file_extension,
        Revision.digest, Revision.size, Revision.raw_content,
    )
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .where(
        Content.space_id == bindparam("space_id"), Content.parent_key == bindparam("parent_key"),
        Content.namespace == bindparam("namespace"), Content.name_key.is_not(None),
    )
    .order_by(Content.label, Content.content_id),
    "TreeRow",
)  # fmt: skip

# -- the list ----------------------------------------------------------------------------------------------

SORTS = {
    "label": Content.label, "modified": Content.modified, "created": Content.created,
}  # fmt: skip


@dataclass(frozen=True)
class ListShape:
    """What makes the SQL of a list: everything but the values."""

    parents: int = 0
    namespaces: int = 1
    content_type: bool = False
    label: bool = False
    archived: bool = False
    deleted: bool = False
    active: bool = True
    sort: str = "label"
    descending: bool = False
    limited: bool = False
    bookmark: str = ""


def list_statement(ctx: Context, shape: ListShape) -> Statement:
    """Return the statement of a list; each shape is built once for an instance."""
    return ctx.kernel.memo(("core_content.list", shape), lambda: _build_list(ctx, shape))


def _build_list(ctx: Context, shape: ListShape) -> Statement:
    query = _with_people(select(*DIGEST, *_contributed(ctx)).select_from(Content)).where(
        Content.space_id == bindparam("space_id"),
        Content.namespace.in_([bindparam(f"namespace_{i}") for i in range(shape.namespaces)]),
    )
    if shape.parents:
        query = query.where(Content.parent_key.in_([bindparam(f"parent_{i}") for i in range(shape.parents)]))
    if shape.content_type:
        query = query.where(Content.type == bindparam("content_type"))
    if shape.label:
        query = query.where(func.lower(Content.label).like(bindparam("label"), escape="!"))
    query = query.where(_states(shape))
    column = SORTS[shape.sort]
    backward = shape.bookmark == "<"
    descending = shape.descending != backward
    if shape.bookmark:
        place = tuple_(column, Content.content_id)
        here = tuple_(bindparam("place_value"), bindparam("place_id"))
        query = query.where(place < here if descending else place > here)
    order = (column.desc(), Content.content_id.desc()) if descending else (column, Content.content_id)
    query = query.order_by(*order)
    if shape.limited:
        query = query.limit(bindparam("limit", type_=Integer))
    return Statement(query, "DigestRow")


def _states(shape: ListShape) -> Any:
    wanted = []
    if shape.active:
        wanted.append(and_(Content.trashed_at.is_(None), Content.archived_at.is_(None)))
    if shape.deleted:
        wanted.append(Content.trashed_at.is_not(None))
    if shape.archived:
        wanted.append(Content.archived_at.is_not(None))
    return or_(*wanted) if wanted else literal(0) == 1


def ancestors(ctx: Context, space_id: int, content_id: int) -> list[int]:
    """Return the ids of the folders on the way from the root to a content, itself left out."""
    start = (
        select(Content.content_id, Content.parent_id, literal(0).label("depth"))
        .where(Content.content_id == content_id, Content.space_id == space_id)
        .cte("up", recursive=True)
    )
    parent = aliased(Content)
    up = start.union_all(
        select(parent.content_id, parent.parent_id, start.c.depth + 1).where(
            parent.content_id == start.c.parent_id, start.c.depth < 1000
        )
    )
    rows = ctx.execute(select(up.c.content_id, up.c.depth).order_by(up.c.depth.desc())).all()
    return [row.content_id for row in rows if row.content_id != content_id]


# -- revisions ---------------------------------------------------------------------------------------------

_writer, _writer_is, _writer_columns = digest_columns(Revision.author_id, "author")
LAST = type_coerce(
    case((and_(Revision.revision_id == Content.current_revision_id, EDITABLE == 1), 1), else_=0), Integer
)
REVISION = (
    Revision.revision_id, Revision.content_id, Revision.version_number, Revision.revision_type,
    Revision.created, Revision.created.label("modified"), Content.space_id.label("workspace_id"),
    Revision.parent_id, Revision.label.label("label"), Revision.file_extension, Revision.status,
    Revision.sub_content_types, Revision.is_template, Revision.is_archived, Revision.is_deleted,
    LAST.label("is_editable"), Revision.description, Revision.raw_content, Revision.digest, Revision.size,
    Revision.mimetype, Content.type.label("content_type"), Content.assignee_id, *_writer_columns,
)  # fmt: skip
_FROM_REVISION = (
    select(*REVISION)
    .select_from(Revision)
    .join(Content, Content.content_id == Revision.content_id)
    .outerjoin(_writer, _writer_is)
)
ONE_REVISION = Statement(
    _FROM_REVISION.where(Revision.revision_id == bindparam("revision_id")), "RevisionRow"
)  # fmt: skip
REVISION_SORTS = {"label": Revision.label, "modified": Revision.created, "created": Revision.created}


def revisions_statement(ctx: Context, sort: str, descending: bool, bookmark: str, limited: bool) -> Statement:
    """Return the statement of a content's revisions in this order; built once for an instance."""

    def build() -> Statement:
        column = REVISION_SORTS[sort]
        down = descending != (bookmark == "<")
        query = _FROM_REVISION.where(Revision.content_id == bindparam("content_id"))
        if bookmark:
            place = tuple_(column, Revision.revision_id)
            here = tuple_(bindparam("place_value"), bindparam("place_id"))
            query = query.where(place < here if down else place > here)
        query = query.order_by(
            *((column.desc(), Revision.revision_id.desc()) if down else (column, Revision.revision_id))
        )
        if limited:
            query = query.limit(bindparam("limit", type_=Integer))
        return Statement(query, "RevisionRow")

    return ctx.kernel.memo(("core_content.revisions", sort, descending, bookmark, limited), build)


def bytes_in(ctx: Context, spaces: Any) -> int:
    """Return the bytes of all revisions in the spaces of a SELECT of ids, trashed and archived left out."""
    query = (
        select(func.coalesce(func.sum(Revision.size), 0))
        .join(Content, Content.content_id == Revision.content_id)
        .where(Content.space_id.in_(spaces), VISIBLE)
    )
    return int(ctx.execute(query).scalar() or 0)


def used_by_owner(ctx: Context, owner_id: int) -> int:
    """Return the bytes of all revisions in the spaces that a user owns."""
    from atrio.plugins.spaces.api import owned_space_ids

    return bytes_in(ctx, owned_space_ids(owner_id))
