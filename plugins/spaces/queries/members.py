"""Reads of members."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal, select, type_coerce

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns

from ..models import Member, Space
from .spaces import NESTED, ONE, OWNER, OWNER_IS, owned_or_joined, rows_of, sidebar_entries

ROLE = Statement(
    select(Member.role).where(Member.space_id == bindparam("space_id"), Member.user_id == bindparam("user_id")),
    "RoleRow",
)
MANAGERS = Statement(
    select(func.count().label("n")).where(
        Member.space_id == bindparam("space_id"), Member.role == bindparam("role")
    ),
    "Count",
)
SETTINGS = Statement(
    select(Member.role, Member.email_notification_type).where(
        Member.space_id == bindparam("space_id"), Member.user_id == bindparam("user_id")
    ),
    "MemberSettings",
)

_user, _user_is, _user_columns = digest_columns(Member.user_id, "user")
COLUMNS = (
    Member.user_id, Member.space_id.label("workspace_id"), Member.role, Member.email_notification_type,
    type_coerce(_user.is_active, Integer).label("is_active"), *_user_columns,
)  # fmt: skip
_KEYS = tuple(c.key for c in COLUMNS)
MemberView = row_type("MemberView", (*_KEYS, *(f"workspace__{k}" for k in ONE.keys), "entries", "newly_created"))
SettingsView = row_type("SettingsView", (*_KEYS, *(f"workspace__{c.key}" for c in NESTED), "entries"))


def _of_space(*, only: bool, disabled: bool) -> Statement:
    query = select(*COLUMNS).join(_user, _user_is).where(Member.space_id == bindparam("space_id"))
    if only:
        query = query.where(Member.user_id == bindparam("user_id"))
    elif not disabled:
        query = query.where(type_coerce(_user.is_active, Integer) == literal(1))
    return Statement(query.order_by(Member.user_id), "MemberRow")


ALL = _of_space(only=False, disabled=True)
ACTIVE = _of_space(only=False, disabled=False)
ONLY = _of_space(only=True, disabled=True)


def members(
    ctx: Context, space_id: int, *, disabled: bool, only: int | None = None, newly_created: bool = False
) -> list[Any]:
    """Return the members of a space with the space itself: two statements whatever their number."""
    space = ONE.first(ctx, space_id=space_id)
    if space is None:
        return []
    entries = sidebar_entries(ctx)
    if only is not None:
        rows = ONLY.all(ctx, space_id=space_id, user_id=only)
    else:
        rows = (ALL if disabled else ACTIVE).all(ctx, space_id=space_id)
    return [MemberView(*r, *space, entries, newly_created) for r in rows]


def settings_of(
    ctx: Context, user_id: int, parent_ids: Sequence[int], *, owned: bool, with_role: bool
) -> list[Any]:
    """Return a user's memberships with their spaces, by label: one statement whatever their number."""

    def query() -> Any:
        space_columns = [c.label(f"workspace__{c.key}") for c in NESTED]
        return (
            select(*COLUMNS, *space_columns)
            .select_from(Member)
            .join(Space, Space.space_id == Member.space_id)
            .join(_user, _user_is)
            .outerjoin(OWNER, OWNER_IS)
            .where(
                Member.user_id == bindparam("user_id"),
                Space.is_deleted == literal(0),
                owned_or_joined(owned=owned, joined=with_role),
            )
            .order_by(Space.label, Space.space_id)
        )

    rows = rows_of(ctx, ("settings", owned, with_role), query, parent_ids, user_id=user_id)
    entries = sidebar_entries(ctx)
    return [SettingsView(*row, entries) for row in rows]


def member_ids(space_id: Any) -> Any:
    """Return a SELECT of the user ids of a space's members, for audiences and filters."""
    return select(Member.user_id).where(Member.space_id == space_id)


def mail_modes() -> Any:
    """Return a SELECT of user id, role and `email_notification_type` of the members of the space `:space_id`."""
    return select(Member.user_id, Member.role, Member.email_notification_type).where(
        Member.space_id == bindparam("space_id")
    )


def mail_modes_among(ctx: Context, space_id: int, user_ids: Collection[int]) -> dict[int, str]:
    """Return how those of some users who are members of a space are told of changes by mail, by id."""
    query = select(Member.user_id, Member.email_notification_type).where(
        Member.space_id == space_id, Member.user_id.in_(user_ids)
    )
    return {row.user_id: row.email_notification_type for row in ctx.execute(query)} if user_ids else {}
