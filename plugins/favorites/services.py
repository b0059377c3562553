"""Writes of favorites."""

from __future__ import annotations

from sqlalchemy import delete

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.plugins.core_content.api import ContentNotFound

from . import queries
from .models import FAVORITE


def keep(ctx: Context, user_id: int, content_id: int) -> None:
    """Make a content a user's favourite, once; ContentNotFound when he cannot see it."""
    content = queries.VISIBLE_CONTENT.first(ctx, user_id=user_id, content_id=content_id)
    if content is None:
        raise ContentNotFound
    values = {
        "user_id": user_id, "content_id": content_id, "original_label": content.label,
        "original_type": content.type, "created": ctx.now,
    }  # fmt: skip
    ctx.execute(upsert(ctx.dialect, FAVORITE, ("user_id", "content_id")), values)


def drop(ctx: Context, user_id: int, content_id: int) -> None:
    """Make a content no favourite, if it was one."""
    ctx.execute(delete(FAVORITE).where(FAVORITE.c.user_id == user_id, FAVORITE.c.content_id == content_id))
