"""Reads of favorites: one statement each, the contents with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, digest_query
from atrio.plugins.spaces.api import member_space_ids

from .models import FAVORITE

_user, _user_is, _user_columns = digest_columns(FAVORITE.c.user_id, "user")
_MINE: Any = bindparam("user_id")

VISIBLE_CONTENT = Statement(
    select(CONTENT.c.content_id, CONTENT.c.label, CONTENT.c.type).where(
        CONTENT.c.content_id == bindparam("content_id"), CONTENT.c.space_id.in_(member_space_ids(_MINE))
    ),
    "VisibleContentRow",
)
"""A content, trashed or not, in a space where the user is a member."""


def _statement(ctx: Context, *, one: bool) -> Statement:
    """Return the statement of a user's favourites, or of one; the content is null where he cannot see it."""

    def build() -> Statement:
        chosen = FAVORITE.c.user_id == _MINE
        if one:
            chosen &= FAVORITE.c.content_id == bindparam("content_id")
        content = (
            digest_query(ctx, "content__")
            .where(
                CONTENT.c.content_id.in_(select(FAVORITE.c.content_id).where(chosen)),
                CONTENT.c.space_id.in_(member_space_ids(_MINE)),
            )
            .subquery("visible")
        )
        query = (
            select(
                FAVORITE.c.user_id, FAVORITE.c.content_id, FAVORITE.c.original_label, FAVORITE.c.original_type,
                FAVORITE.c.created, *_user_columns, *content.c,
            )
            .join(_user, _user_is)
            .outerjoin(content, content.c.content__content_id == FAVORITE.c.content_id)
            .where(chosen)
            .order_by(FAVORITE.c.created, FAVORITE.c.content_id)
        )  # fmt: skip
        return Statement(query, "FavoriteRow")

    return ctx.kernel.memo(("favorites", one), build)


def of_user(ctx: Context, user_id: int) -> list[Any]:
    """Return a user's favourites, oldest first."""
    return _statement(ctx, one=False).all(ctx, user_id=user_id)


def one(ctx: Context, user_id: int, content_id: int) -> Any | None:
    """Return one of a user's favourites."""
    return _statement(ctx, one=True).first(ctx, user_id=user_id, content_id=content_id)
