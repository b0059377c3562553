"""Writes of requests to become a member of a space that takes members on request."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.errors import RetryWork
from atrio.plugins.accounts.api import get_user

from .. import queries
from ..config import SpacesConfig
from ..errors import RoleAlreadyExists, SpaceNotFound, SubscriptionNotFound, WrongAccessType
from ..events import SubscriptionModified, SubscriptionRequested
from ..models import Subscription
from ..permissions import LEVELS
from .members import insert_member, refuse_inactive


def request_subscription(ctx: Context, space_id: int, user_id: int) -> None:
    """Ask for a user to become a member; asking again makes the request pending again.

    WrongAccessType where membership is not on request, RoleAlreadyExists for a member.
    """
    space = queries.GUARD.first(ctx, space_id=space_id, user_id=user_id)
    if space is None or space.is_deleted:
        raise SpaceNotFound
    if space.access_type != "on_request":
        raise WrongAccessType
    refuse_inactive(get_user(ctx, user_id))
    if space.my_role is not None:
        raise RoleAlreadyExists
    fresh = {"state": "pending", "created": ctx.now, "evaluated": None, "evaluator_id": None}
    if queries.subscription(ctx, space_id, user_id) is not None:
        _write(ctx, space_id, user_id, **fresh)
        ctx.emit(SubscriptionModified(space_id, user_id, "pending"))
        return
    try:
        with ctx.savepoint():
            ctx.execute(insert(Subscription).values(space_id=space_id, user_id=user_id, **fresh))
    except IntegrityError:
        raise RetryWork from None  # the same request came twice at this moment
    ctx.emit(SubscriptionRequested(space_id, user_id))


def accept_subscription(ctx: Context, space_id: int, user_id: int, role: str) -> None:
    """Make who asked a member; RoleAlreadyExists when he is one."""
    _locked(ctx, space_id, user_id)
    refuse_inactive(get_user(ctx, user_id))
    if queries.ROLE.value(ctx, space_id=space_id, user_id=user_id) is not None:
        raise RoleAlreadyExists
    _evaluate(ctx, space_id, user_id, "accepted")
    insert_member(ctx, space_id, user_id, LEVELS[role], ctx.config[SpacesConfig].notification_on_invitation)


def reject_subscription(ctx: Context, space_id: int, user_id: int) -> None:
    """Refuse who asked; RoleAlreadyExists when he is a member meanwhile. Again: nothing happens."""
    current = _locked(ctx, space_id, user_id)
    if queries.ROLE.value(ctx, space_id=space_id, user_id=user_id) is not None:
        raise RoleAlreadyExists
    if current.state != "rejected":
        _evaluate(ctx, space_id, user_id, "rejected")


def _locked(ctx: Context, space_id: int, user_id: int) -> Any:
    """Return a request, with the space's row locked until the unit ends: it is decided once."""
    queries.lock(ctx, space_id)
    row = queries.subscription(ctx, space_id, user_id)
    if row is None:
        raise SubscriptionNotFound("the user did not ask to become a member")
    return row


def _evaluate(ctx: Context, space_id: int, user_id: int, state: str) -> None:
    _write(ctx, space_id, user_id, state=state, evaluated=ctx.now, evaluator_id=ctx.actor.id)
    ctx.emit(SubscriptionModified(space_id, user_id, state))


def _write(ctx: Context, space_id: int, user_id: int, **values: Any) -> None:
    ctx.execute(
        update(Subscription)
        .where(Subscription.space_id == space_id, Subscription.user_id == user_id)
        .values(**values)
    )
