"""Reads of requests to become a member."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, literal, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns

from ..models import Space, Subscription

_author, _author_is, _author_columns = digest_columns(Subscription.user_id, "author")
_evaluator, _evaluator_is, _evaluator_columns = digest_columns(Subscription.evaluator_id, "evaluator")
_SELECT = (
    select(
        Subscription.state, Subscription.created.label("created_date"),
        Subscription.evaluated.label("evaluation_date"), Subscription.user_id, Subscription.space_id,
        Space.space_id.label("workspace__workspace_id"), Space.label.label("workspace__label"),
        Space.deleted_at.label("workspace__deleted_at"), *_author_columns, *_evaluator_columns,
    )
    .select_from(Subscription)
    .join(Space, Space.space_id == Subscription.space_id)
    .join(_author, _author_is)
    .outerjoin(_evaluator, _evaluator_is)
)  # fmt: skip

ONE = Statement(
    _SELECT.where(Subscription.space_id == bindparam("space_id"), Subscription.user_id == bindparam("user_id")),
    "SubscriptionRow",
)
OF_SPACE = Statement(
    _SELECT.where(Subscription.space_id == bindparam("space_id")).order_by(
        Subscription.created, Subscription.user_id
    ),
    "SubscriptionRow",
)
OF_USER = Statement(
    _SELECT.where(Subscription.user_id == bindparam("user_id"), Space.is_deleted == literal(0)).order_by(
        Subscription.created, Subscription.space_id
    ),
    "SubscriptionRow",
)


def subscription(ctx: Context, space_id: int, user_id: int) -> Any | None:
    """Return the request of a user for a space, None when he never made one."""
    return ONE.first(ctx, space_id=space_id, user_id=user_id)
