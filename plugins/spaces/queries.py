"""Reads of spaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns

from .models import Member, Space

_owner, _owner_is, _owner_columns = digest_columns(Space.owner_id, "owner")
MEMBERS = (
    select(func.count()).where(Member.space_id == Space.space_id).correlate(Space).scalar_subquery()
)  # fmt: skip
COLUMNS = (
    Space.space_id.label("workspace_id"), Space.label.label("label"), Space.slug, Space.description,
    Space.access_type, Space.default_role, Space.created, Space.owner_id, Space.parent_id, Space.is_deleted,
    Space.agenda_enabled, Space.public_upload_enabled, Space.public_download_enabled,
    Space.publication_enabled, MEMBERS.label("number_of_members"), *_owner_columns,
)  # fmt: skip
MINE = and_(Member.space_id == Space.space_id, Member.user_id == bindparam("user_id"))

GUARD = Statement(
    select(
        Space.space_id, Space.label.label("label"), Space.access_type, Space.default_role, Space.owner_id,
        Space.is_deleted, Space.publication_enabled, Space.public_upload_enabled,
        Space.public_download_enabled, Space.agenda_enabled, Member.role.label("my_role"),
    )
    .outerjoin(Member, MINE)
    .where(Space.space_id == bindparam("space_id")),
    "SpaceGuardRow",
)  # fmt: skip
ONE = Statement(
    select(*COLUMNS).outerjoin(_owner, _owner_is).where(Space.space_id == bindparam("space_id")), "SpaceRow"
)
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
BY_LABEL = Statement(
    select(Space.space_id, Space.label.label("label"), Member.role.label("my_role"))
    .join(Member, MINE)
    .where(Space.label == bindparam("label"), Space.is_deleted == bindparam("deleted"))
    .order_by(Space.space_id),
    "SpaceByLabel",
)
OWNED = Statement(
    select(func.count().label("n")).where(Space.owner_id == bindparam("user_id")), "Count"
)  # fmt: skip

SpaceView = row_type("SpaceView", (*ONE.keys, "entries"))
_user, _user_is, _user_columns = digest_columns(Member.user_id, "user")
MEMBER_COLUMNS = (
    Member.user_id, Member.space_id.label("workspace_id"), Member.role, Member.email_notification_type,
    *_user_columns,
)  # fmt: skip
MemberView = row_type(
    "MemberView",
    (
        "user_id", "workspace_id", "role", "email_notification_type", "is_active",
        *(c.key for c in _user_columns), *(f"workspace__{k}" for k in ONE.keys), "entries", "newly_created",
    ),
)  # fmt: skip

DEFAULT_ENTRIES: tuple[dict[str, Any], ...] = (
    {
        "order": 10, "slug": "dashboard", "label": "Dashboard", "route": "/ui/workspaces/{id}/dashboard",
        "fa_icon": "fas fa-tachometer-alt", "hexcolor": "#fdfdfd", "setting": None,
    },
    {
        "order": 20, "slug": "publication", "label": "News", "route": "/ui/workspaces/{id}/publications",
        "fa_icon": "fas fa-stream", "hexcolor": "#bbbbbb", "setting": "publication_enabled",
    },
    {
        "order": 30, "slug": "contents/all", "label": "Contents", "route": "/ui/workspaces/{id}/contents",
        "fa_icon": "fas fa-th", "hexcolor": "#bbbbbb", "setting": None,
    },
)  # fmt: skip


def sidebar_entries(ctx: Context) -> tuple[Any, ...]:
    """Return the entries of all plugins in order; computed once for an instance."""

    def collect() -> tuple[Any, ...]:
        offered: Iterable[Any] = ctx.kernel.hooks.hook.register_sidebar_entries()
        entries = [*DEFAULT_ENTRIES, *(entry for given in offered for entry in given or ())]
        return tuple(sorted(entries, key=lambda e: (e["order"], e["slug"])))

    return ctx.kernel.memo("spaces.sidebar", collect)


def view(ctx: Context, row: Any) -> Any:
    """Return a space's row with its side bar."""
    return SpaceView(*row, sidebar_entries(ctx))


def one(ctx: Context, space_id: int) -> Any | None:
    """Return one space for the wire."""
    row = ONE.first(ctx, space_id=space_id)
    return None if row is None else view(ctx, row)


def _parents(parent_ids: Sequence[int]) -> Any:
    wanted = [Space.parent_id.in_([p for p in parent_ids if p])]
    if 0 in parent_ids:
        wanted.append(Space.parent_id.is_(None))
    return or_(*wanted)


def all_spaces(ctx: Context, parent_ids: Sequence[int]) -> list[Any]:
    """Return every space that is not deleted, for administrators."""
    query = select(*COLUMNS).outerjoin(_owner, _owner_is).where(Space.is_deleted == 0)
    if parent_ids:
        query = query.where(_parents(parent_ids))
    return [view(ctx, row) for row in ctx.execute(query.order_by(Space.label, Space.space_id))]


def spaces_of(ctx: Context, user_id: int, parent_ids: Sequence[int], *, owned: bool, with_role: bool) -> list[Any]:
    """Return the spaces a user owns or is a member of, by label."""
    wanted: list[Any] = []
    if owned:
        wanted.append(Space.owner_id == user_id)
    if with_role:
        wanted.append(Space.space_id.in_(select(Member.space_id).where(Member.user_id == user_id)))
    query = (
        select(*COLUMNS)
        .outerjoin(_owner, _owner_is)
        .where(Space.is_deleted == 0, or_(*wanted) if wanted else literal(False))
    )
    if parent_ids:
        query = query.where(_parents(parent_ids))
    return [view(ctx, row) for row in ctx.execute(query.order_by(Space.label, Space.space_id))]


def members(ctx: Context, space_id: int, *, disabled: bool, only: int | None = None) -> list[Any]:
    """Return the members of a space with the space itself: two statements whatever their number."""
    space = ONE.first(ctx, space_id=space_id)
    if space is None:
        return []
    entries = sidebar_entries(ctx)
    query = select(*MEMBER_COLUMNS).join(_user, _user_is).where(Member.space_id == space_id)
    if only is not None:
        query = query.where(Member.user_id == only)
    elif not disabled:
        query = query.where(type_coerce(_user.is_active, Integer) == 1)
    rows: Any = ctx.execute(query.order_by(Member.user_id)).all()
    return [
        MemberView(
            r[0], r[1], r[2], r[3], r._mapping["user__is_active"], *r[4:], *space, entries, False
        )
        for r in rows
    ]  # fmt: skip


def member_ids(space_id: Any) -> Any:
    """Return a SELECT of the user ids of a space's members, for audiences and filters."""
    return select(Member.user_id).where(Member.space_id == space_id)


def owned_space_ids(owner_id: Any) -> Any:
    """Return a SELECT of the ids of the spaces a user owns, for sums over them."""
    return select(Space.space_id).where(Space.owner_id == owner_id)


def member_space_ids(user_id: Any) -> Any:
    """Return a SELECT of the ids of the spaces that a user is a member of, deleted ones left out."""
    return (
        select(Member.space_id)
        .join(Space, Space.space_id == Member.space_id)
        .where(Member.user_id == user_id, Space.is_deleted == 0)
    )


def short_columns(id_column: Any, prefix: str) -> tuple[Any, Any, list[Any]]:
    """Return (alias, join condition, columns `<prefix>__<field>`) for the short form of another table's space."""
    space = aliased(Space, name=f"{prefix}_space")
    columns = [
        space.space_id.label(f"{prefix}__workspace_id"), space.label.label(f"{prefix}__label"),
        space.slug.label(f"{prefix}__slug"),
    ]  # fmt: skip
    return space, space.space_id == id_column, columns


def find_by_label(ctx: Context, user_id: int, label: str) -> Any | None:
    """Return the oldest space of this label in which the user is a member."""
    return BY_LABEL.first(ctx, user_id=user_id, label=label, deleted=0)
