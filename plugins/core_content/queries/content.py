"""Reads of one content, of its neighbours in the tree, and of sizes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, func, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement

from ..models import Content, Revision
from .columns import DETAIL, DIGEST, VISIBLE, contributed, with_people

LOCK = (
    select(Content.content_id)
    .where(Content.content_id == bindparam("content_id"), Content.space_id == bindparam("space_id"))
    .with_for_update(key_share=True)
)


def _whole(ctx: Context) -> Select[Any]:
    query = select(*DIGEST, *DETAIL, *contributed(ctx)).select_from(Content)
    joined = query.join(Revision, Revision.revision_id == Content.current_revision_id)
    return with_people(joined).where(Content.content_id == bindparam("content_id"))


def one_statement(ctx: Context) -> Statement:
    """Return the statement of one content with its text and bytes, in one space."""

    def build() -> Statement:
        return Statement(_whole(ctx).where(Content.space_id == bindparam("space_id")), "ContentRow")

    return ctx.kernel.memo("core_content.one", build)


def shown_statement(ctx: Context) -> Statement:
    """Return the statement of one content with its text and bytes, wherever it is."""
    return ctx.kernel.memo("core_content.shown", lambda: Statement(_whole(ctx), "ContentRow"))


def one(ctx: Context, space_id: int, content_id: int) -> Any | None:
    """Return one content with everything its own routes show."""
    return one_statement(ctx).first(ctx, content_id=content_id, space_id=space_id)


def shown(ctx: Context, content_id: int) -> Any | None:
    """Return one content like `one`, as a unit leaves it: the answer and what is told of it read it once."""
    key = f"core_content.shown:{content_id}"
    if key not in ctx.resources:
        ctx.resources[key] = shown_statement(ctx).first(ctx, content_id=content_id)
    return ctx.resources[key]


def said(ctx: Context, statement: Statement, *, content_id: int, **values: Any) -> Any | None:
    """Return one comment or to-do; a writing unit reads it once, as it leaves it."""
    if not ctx.writes:
        return statement.first(ctx, content_id=content_id, **values)
    key = f"core_content.said:{content_id}"
    if key not in ctx.resources:
        ctx.resources[key] = statement.first(ctx, content_id=content_id, **values)
    return ctx.resources[key]


def lock(ctx: Context, space_id: int, content_id: int) -> None:
    """Lock a content's row until the commit, so that rivals wait for each other instead of losing in turn.

    A reading unit locks nothing, and on SQLite a writing unit is alone anyway.
    """
    if ctx.writes and ctx.dialect != "sqlite":
        ctx.execute(LOCK, {"content_id": content_id, "space_id": space_id})


def digest_statement(ctx: Context) -> Statement:
    """Return the statement of one content as lists show it."""

    def build() -> Statement:
        query = with_people(select(*DIGEST, *contributed(ctx)).select_from(Content))
        return Statement(query.where(Content.content_id == bindparam("content_id")), "DigestRow")

    return ctx.kernel.memo("core_content.digest", build)


def digest_query(ctx: Context, prefix: str = "") -> Select[Any]:
    """Return the SELECT of contents as lists show them, for another plugin to join and filter.

    With a prefix (`content__`) each column carries it, for answers that nest the content.
    """
    columns = [c.label(f"{prefix}{c.key}") for c in (*DIGEST, *contributed(ctx))] if prefix else DIGEST
    return with_people(select(*columns, *(() if prefix else contributed(ctx))).select_from(Content))


TEXT = Statement(
    select(
        Revision.raw_content, Revision.description, Revision.content_id, Revision.version_number,
        Revision.label.label("label"), Revision.file_extension,
    ).where(Revision.revision_id == bindparam("revision_id")),
    "TextRow",
)  # fmt: skip


def text_of(ctx: Context, revision_id: int) -> Any | None:
    """Return texts, name, content_id and version_number of a revision; one of this unit unread."""
    written = ctx.resources.get(f"core_content.revision:{revision_id}")
    if written is not None:
        return TEXT.row(*(written[name] for name in TEXT.keys))
    return TEXT.first(ctx, revision_id=revision_id)


PARENT = Statement(
    select(
        Content.content_id,
        Content.type,
        Content.namespace,
        Content.sub_content_types,
        Content.trashed_at,
        Content.archived_at,
        Content.hidden_by,
        Content.space_id,
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
    .order_by(Content.sort_key, Content.content_id),
    "TreeRow",
)  # fmt: skip


def bytes_in(ctx: Context, spaces: Any) -> int:
    """Return the bytes of all revisions in the spaces of a SELECT of ids, trashed and archived left out."""
    query = (
        select(func.coalesce(func.sum(Revision.size), 0))
        .join(Content, Content.content_id == Revision.content_id)
        .where(Content.space_id.in_(spaces), VISIBLE)
    )
    return int(ctx.execute(query).scalar() or 0)
