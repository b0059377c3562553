"""Reads of tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.core_content.api import CONTENT

from .models import LINK, TAG

COLUMNS = (TAG.c.tag_id, TAG.c.space_id.label("workspace_id"), TAG.c.name.label("tag_name"))

OF_SPACE = Statement(
    select(*COLUMNS).where(TAG.c.space_id == bindparam("space_id")).order_by(TAG.c.tag_id), "TagRow"
)
ONE = Statement(
    select(*COLUMNS).where(TAG.c.tag_id == bindparam("tag_id"), TAG.c.space_id == bindparam("space_id")), "TagRow"
)
BY_NAME = Statement(
    select(*COLUMNS).where(TAG.c.space_id == bindparam("space_id"), TAG.c.name == bindparam("name")), "TagRow"
)
OF_CONTENT = Statement(
    select(*COLUMNS)
    .join(LINK, LINK.c.tag_id == TAG.c.tag_id)
    .where(LINK.c.content_id == bindparam("content_id"))
    .order_by(TAG.c.tag_id),
    "TagRow",
)
CARRIERS = Statement(
    select(LINK.c.content_id).where(LINK.c.tag_id == bindparam("tag_id")).order_by(LINK.c.content_id), "CarrierRow"
)


def names_of(ctx: Context, content_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the tags of some contents, by content; asked by the search."""
    query = (
        select(LINK.c.content_id, TAG.c.name)
        .join(TAG, TAG.c.tag_id == LINK.c.tag_id)
        .where(LINK.c.content_id.in_(content_ids))
        .order_by(LINK.c.content_id, TAG.c.tag_id)
    )
    found: dict[int, list[str]] = {}
    rows: Any = ctx.execute(query)
    for content_id, name in rows:
        found.setdefault(content_id, []).append(name)
    return found


def carriers(names: Sequence[str]) -> Select[Any]:
    """Return a SELECT of the ids of contents with a tag of one of these names; asked by the search."""
    return select(LINK.c.content_id).join(TAG, TAG.c.tag_id == LINK.c.tag_id).where(TAG.c.name.in_(names))


CARRIED = select(LINK.c.content_id).distinct()
"""The ids of all contents with a tag; asked by the search."""


def counts(hits: Select[Any]) -> Select[Any]:
    """Return a SELECT of the names of tags and how many contents of a SELECT of ids carry them."""
    return (
        select(TAG.c.name.label("value"), func.count().label("count"))
        .select_from(LINK)
        .join(TAG, TAG.c.tag_id == LINK.c.tag_id)
        .where(LINK.c.content_id.in_(hits))
        .group_by(TAG.c.name)
        .order_by(func.count().desc(), TAG.c.name)
    )


def carried_abroad(from_space_id: int, space_id: int) -> Select[Any]:
    """Return a SELECT of the tags of one space that contents of another carry: what a move left behind."""
    return (
        select(TAG.c.tag_id)
        .join(LINK, LINK.c.tag_id == TAG.c.tag_id)
        .join(CONTENT, CONTENT.c.content_id == LINK.c.content_id)
        .where(TAG.c.space_id == from_space_id, CONTENT.c.space_id == space_id)
        .distinct()
    )


def carried_by(content_id: int) -> Select[Any]:
    """Return a SELECT of the ids of a content's tags."""
    return select(LINK.c.tag_id).where(LINK.c.content_id == content_id)


def namesakes(ctx: Context, tag_ids: Select[Any], space_id: int) -> list[Any]:
    """Return tag_id, name and twin_id of these tags; the twin has the same name in a space, or is missing."""
    twin = TAG.alias("twin")
    query = (
        select(TAG.c.tag_id, TAG.c.name.label("tag_name"), twin.c.tag_id.label("twin_id"))
        .outerjoin(twin, (twin.c.name == TAG.c.name) & (twin.c.space_id == space_id))
        .where(TAG.c.tag_id.in_(tag_ids))
        .order_by(TAG.c.tag_id)
    )
    return list(ctx.execute(query).all())
