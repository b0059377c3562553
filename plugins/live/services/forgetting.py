"""Deleting what was told: of spaces, contents and users that are gone, and what is old and read."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select

from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND

from ..config import LiveConfig
from ..models import EVENT, HISTORY, MESSAGE

PAGE = 200


def _forget(ctx: Context, wanted: ColumnElement[bool]) -> bool:
    """Delete one page of events with their messages; tells whether there may be more."""
    ids = list(ctx.execute(select(EVENT.c.event_id).where(wanted).limit(PAGE)).scalars())
    if ids:
        ctx.execute(delete(MESSAGE).where(MESSAGE.c.event_id.in_(ids)))
        ctx.execute(delete(EVENT).where(EVENT.c.event_id.in_(ids)))
    return len(ids) == PAGE


def forget_space(ctx: Context, key: int) -> None:
    """Delete a page of what was told of a space that is gone, and queue the next."""
    ctx.execute(delete(HISTORY).where(HISTORY.c.space_id == key))
    if _forget(ctx, EVENT.c.space_id == key):
        ctx.defer("live.forget_space", key=key)


def forget_contents(ctx: Context, keys: Sequence[int]) -> None:
    """Delete a page of what was told of contents that are gone, and queue the next.

    What only lay in one of them once is not theirs: it may be elsewhere now.
    """
    if _forget(ctx, EVENT.c.content_id.in_(keys)):
        ctx.defer("live.forget_contents", keys=list(keys))


def forget_user(ctx: Context, user_id: int) -> None:
    """Delete the inbox of a user who is gone."""
    ctx.execute(delete(MESSAGE).where(MESSAGE.c.user_id == user_id))
    ctx.execute(delete(HISTORY).where(HISTORY.c.user_id == user_id))


def forget_old(ctx: Context, after: int = 0) -> None:
    """Delete read messages past their time (option `keep_days`), and events that nobody has any more.

    One page of events from an id on; the next is queued.
    """
    days = ctx.config[LiveConfig].keep_days
    if not days:
        return
    border = ctx.now - days * 86_400 * SECOND
    old = select(EVENT.c.event_id).where(EVENT.c.event_id > after, EVENT.c.created < border)
    ids = list(ctx.execute(old.order_by(EVENT.c.event_id).limit(PAGE)).scalars())
    if not ids:
        return
    ctx.execute(delete(MESSAGE).where(MESSAGE.c.event_id.in_(ids), MESSAGE.c.read_at.is_not(None)))
    held = select(MESSAGE.c.event_id).where(MESSAGE.c.event_id == EVENT.c.event_id).exists()
    ctx.execute(delete(EVENT).where(EVENT.c.event_id.in_(ids), ~held))
    ctx.defer("live.forget_old", after=ids[-1])
