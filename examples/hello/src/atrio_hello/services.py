"""Writes of hello. A service runs inside the caller's unit of work: it never commits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import UserNotFound, get_user

from . import queries
from .config import HelloConfig
from .errors import HelloTextTooLong
from .events import GreetingSent
from .models import Greeting

DAY = 24 * 60 * 60 * 1_000_000


def send_greeting(ctx: Context, user_id: int, text: str) -> int:
    """Write a greeting from the actor to a user."""
    if len(text) > ctx.config[HelloConfig].max_length:
        raise HelloTextTooLong
    if get_user(ctx, user_id).is_deleted:
        raise UserNotFound
    greeting_id = _insert(ctx, user_id=user_id, sender_id=ctx.actor.id, text=text)
    ctx.emit(GreetingSent(greeting_id, user_id, ctx.actor.id))
    return greeting_id


def greet_once(ctx: Context, user_id: int, reason: str, text: str) -> None:
    """Write an automatic greeting unless this reason had one: events and jobs may come twice."""
    if queries.BY_REASON.first(ctx, reason=reason) is None:
        _insert(ctx, user_id=user_id, text=f"{ctx.config[HelloConfig].word}! {text}", reason=reason)


def delete_greeting(ctx: Context, greeting_id: int) -> None:
    """Delete a greeting."""
    ctx.execute(delete(Greeting).where(Greeting.greeting_id == greeting_id))


def delete_old(ctx: Context) -> int:
    """Delete greetings past their time and return how many."""
    before = ctx.now - ctx.config[HelloConfig].keep_days * DAY
    result: Any = ctx.execute(delete(Greeting).where(Greeting.created < before))
    return int(result.rowcount)


def _insert(ctx: Context, **values: Any) -> int:
    result: Any = ctx.execute(insert(Greeting).values(created=ctx.now, **values))
    return int(result.inserted_primary_key[0])
