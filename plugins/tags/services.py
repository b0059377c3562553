"""Writes of tags."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.db.base import Id, Timestamp
from atrio.kernel.db.constraints import violates
from atrio.kernel.errors import RetryWork
from atrio.plugins.core_content.api import CONTENT

from . import queries
from .errors import TagAlreadyExists, TagNotFound
from .events import ContentTagged, ContentUntagged, TagCreated, TagDeleted
from .models import LINK, TAG

INSERT_TAG = insert(TAG)
INSERT_LINK = insert(LINK)


def create_tag(ctx: Context, space_id: int, name: str) -> int:
    """Give a space a new tag and return its id; TagAlreadyExists when it has one of this name."""
    try:
        with ctx.savepoint():
            result: Any = ctx.execute(INSERT_TAG, {"space_id": space_id, "name": name})
    except IntegrityError as error:
        if violates(error, "uq_tags_tag_name", ("space_id", "name")):
            raise TagAlreadyExists from None
        raise RetryWork from None  # the space went away meanwhile
    tag_id = int(result.inserted_primary_key[0])
    ctx.emit(TagCreated(tag_id, space_id, name))
    return tag_id


def delete_tag(ctx: Context, tag: Any) -> None:
    """Take a tag from its space and from every content."""
    carriers = tuple(row.content_id for row in queries.CARRIERS.all(ctx, tag_id=tag.tag_id))
    if ctx.execute(delete(TAG).where(TAG.c.tag_id == tag.tag_id)).rowcount != 1:  # type: ignore[attr-defined]
        raise TagNotFound
    ctx.emit(TagDeleted(tag.tag_id, tag.workspace_id, tag.tag_name, carriers))


def tag_content_by_name(ctx: Context, content: Any, name: str) -> int:
    """Put a tag on a content, made first when the space has none of this name; returns the tag's id."""
    found = queries.BY_NAME.first(ctx, space_id=content.workspace_id, name=name)
    if found is not None:
        return tag_content(ctx, content, found.tag_id, name)
    try:
        tag_id = create_tag(ctx, content.workspace_id, name)
    except TagAlreadyExists:
        raise RetryWork from None  # somebody made it meanwhile
    return tag_content(ctx, content, tag_id, name)


def tag_content(ctx: Context, content: Any, tag_id: int, name: str) -> int:
    """Put a tag of its space on a content and return the tag's id; TagAlreadyExists when it is there."""
    values = {"content_id": content.content_id, "tag_id": tag_id, "author_id": ctx.actor.id, "created": ctx.now}
    try:
        with ctx.savepoint():
            ctx.execute(INSERT_LINK, values)
    except IntegrityError as error:
        if violates(error, "uq_tags_link_once", ("content_id", "tag_id")):
            raise TagAlreadyExists from None
        raise RetryWork from None  # the tag or the content went away meanwhile
    ctx.emit(ContentTagged(tag_id, content.content_id, content.workspace_id, name))
    return tag_id


def untag_content(ctx: Context, content: Any, tag: Any) -> None:
    """Take a tag from a content; TagNotFound when it is not there."""
    found: Any = ctx.execute(
        delete(LINK).where(LINK.c.content_id == content.content_id, LINK.c.tag_id == tag.tag_id)
    )
    if found.rowcount != 1:
        raise TagNotFound
    ctx.emit(ContentUntagged(tag.tag_id, content.content_id, content.workspace_id, tag.tag_name))


def follow_move(ctx: Context, from_space_id: int, space_id: int) -> None:
    """Exchange the tags of contents that moved for those of the same name in their new space.

    Whatever moved is found by its tags: only a content that changed its space carries a tag of another one.
    """
    abroad = queries.carried_abroad(from_space_id, space_id)
    if not _settle_names(ctx, abroad, space_id):
        return
    old, new = TAG.alias("old"), TAG.alias("new")
    twin = (
        select(new.c.tag_id)
        .join(old, old.c.name == new.c.name)
        .where(old.c.tag_id == LINK.c.tag_id, new.c.space_id == space_id)
        .correlate(LINK)
        .scalar_subquery()
    )
    ctx.execute(
        update(LINK)
        .where(
            LINK.c.tag_id.in_(select(TAG.c.tag_id).where(TAG.c.space_id == from_space_id)),
            LINK.c.content_id.in_(select(CONTENT.c.content_id).where(CONTENT.c.space_id == space_id)),
        )
        .values(tag_id=twin)
    )


def copy_tags(ctx: Context, source_id: int, content_id: int, space_id: int) -> None:
    """Put the tags of one content on its copy, by name where the copy lies in another space."""
    carried = queries.carried_by(source_id)
    if not _settle_names(ctx, carried, space_id):
        return
    old, new = TAG.alias("old"), TAG.alias("new")
    source = (
        select(literal(content_id, Id), new.c.tag_id, literal(ctx.actor.id, Id), literal(ctx.now, Timestamp))
        .join(old, and_(old.c.name == new.c.name, old.c.tag_id.in_(carried)))
        .where(new.c.space_id == space_id)
        .order_by(new.c.tag_id)
    )
    ctx.execute(INSERT_LINK.from_select(["content_id", "tag_id", "author_id", "created"], source))


def _settle_names(ctx: Context, tag_ids: Select[Any], space_id: int) -> bool:
    """Make sure that a space has a tag of each of these names; False when there are none.

    Four statements at most, whatever the number of tags.
    """
    found = queries.namesakes(ctx, tag_ids, space_id)
    missing = {row.tag_name for row in found if row.twin_id is None}
    if missing:
        here = TAG.alias("here")
        known = select(here.c.tag_id).where(here.c.space_id == space_id, here.c.name == TAG.c.name)
        names = (
            select(literal(space_id, Id), TAG.c.name)
            .where(TAG.c.tag_id.in_(tag_ids), ~known.correlate(TAG).exists())
            .order_by(TAG.c.tag_id)
        )
        try:
            with ctx.savepoint():
                ctx.execute(INSERT_TAG.from_select(["space_id", "name"], names))
        except IntegrityError:
            raise RetryWork from None  # somebody made one of them meanwhile
        for row in queries.namesakes(ctx, tag_ids, space_id):
            if row.tag_name in missing:
                ctx.emit(TagCreated(row.twin_id, space_id, row.tag_name))
    return bool(found)
