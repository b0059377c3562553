"""Reads of spaces themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns

from ..models import Member, Space
from ..sidebar import SidebarEntries

OWNER, OWNER_IS, _owner_columns = digest_columns(Space.owner_id, "owner")
NUMBER_OF_MEMBERS = (
    select(func.count()).where(Member.space_id == Space.space_id).correlate(Space).scalar_subquery()
)  # fmt: skip
COLUMNS = (
    Space.space_id.label("workspace_id"), Space.label.label("label"), Space.slug, Space.description,
    Space.access_type, Space.default_role, Space.created, Space.owner_id, Space.parent_id, Space.is_deleted,
    Space.deleted_at, Space.agenda_enabled, Space.public_upload_enabled, Space.public_download_enabled,
    Space.publication_enabled, NUMBER_OF_MEMBERS.label("number_of_members"), *_owner_columns,
)  # fmt: skip
NESTED = tuple(c for c in COLUMNS if c.key not in ("description", "number_of_members"))
"""What a space inside another thing shows, without the costly columns."""
MINE = and_(Member.space_id == Space.space_id, Member.user_id == bindparam("user_id"))

GUARDED = (
    Space.space_id, Space.label.label("label"), Space.access_type, Space.default_role, Space.owner_id,
    Space.is_deleted, Space.publication_enabled, Space.public_upload_enabled, Space.public_download_enabled,
    Space.agenda_enabled, Member.role.label("my_role"),
)  # fmt: skip
"""What guards and policies see of a space."""
GUARD = Statement(
    select(*GUARDED).outerjoin(Member, MINE).where(Space.space_id == bindparam("space_id")), "SpaceGuardRow"
)
ONE = Statement(
    select(*COLUMNS).outerjoin(OWNER, OWNER_IS).where(Space.space_id == bindparam("space_id")), "SpaceRow"
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
STATE = Statement(
    select(
        Space.space_id, Space.label.label("label"), Space.slug, Space.description, Space.default_role,
        Space.agenda_enabled, Space.public_upload_enabled, Space.public_download_enabled,
        Space.publication_enabled, Space.is_deleted, Space.deleted_at, Space.parent_id,
    ).where(Space.space_id == bindparam("space_id")),
    "SpaceState",
)  # fmt: skip

SpaceView = row_type("SpaceView", (*ONE.keys, "entries"))

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


def sidebar_entries(ctx: Context) -> SidebarEntries:
    """Return the entries of all plugins in order; computed once for an instance."""

    def collect() -> SidebarEntries:
        offered: Iterable[Any] = ctx.kernel.hooks.hook.register_sidebar_entries()
        entries = [*DEFAULT_ENTRIES, *(entry for given in offered for entry in given or ())]
        return SidebarEntries(sorted(entries, key=lambda e: (e["order"], e["slug"])))

    return ctx.kernel.memo("spaces.sidebar", collect)


def one(ctx: Context, space_id: int) -> Any | None:
    """Return one space for the wire."""
    row = ONE.first(ctx, space_id=space_id)
    return None if row is None else SpaceView(*row, sidebar_entries(ctx))


def left(ctx: Context, space_id: int) -> Any | None:
    """Return a space as a writing unit leaves it: the answer and what is told of it read it once."""
    key = f"spaces.left:{space_id}"
    if key not in ctx.resources:
        ctx.resources[key] = one(ctx, space_id)
    return ctx.resources[key]


def rows_of(ctx: Context, key: Any, query: Any, parent_ids: Sequence[int], **values: Any) -> Sequence[Any]:
    """Run a SELECT over spaces; without chosen parents it is compiled once for this instance, under `key`."""
    if not parent_ids:
        statement = ctx.kernel.memo(("spaces", key), lambda: Statement(query()))
        rows: Sequence[Any] = statement.all(ctx, **values)
        return rows
    wanted = [Space.parent_id.in_([p for p in parent_ids if p])]
    if 0 in parent_ids:
        wanted.append(Space.parent_id.is_(None))
    return ctx.execute(query().where(or_(*wanted)), values).all()


def _listed(*conditions: Any) -> Any:
    """Return the SELECT of spaces that are not deleted, by label."""
    query = select(*COLUMNS).outerjoin(OWNER, OWNER_IS).where(Space.is_deleted == literal(0), *conditions)
    return query.order_by(Space.label, Space.space_id)


def _views(ctx: Context, rows: Iterable[Any]) -> list[Any]:
    entries = sidebar_entries(ctx)
    return [SpaceView(*row, entries) for row in rows]


def all_spaces(ctx: Context, parent_ids: Sequence[int]) -> list[Any]:
    """Return every space that is not deleted, for administrators."""
    return _views(ctx, rows_of(ctx, "all", _listed, parent_ids))


def owned_or_joined(*, owned: bool, joined: bool) -> Any:
    """Return the condition: the user owns the space, or is a member of it."""
    wanted: list[Any] = []
    if owned:
        wanted.append(Space.owner_id == bindparam("user_id"))
    if joined:
        wanted.append(Space.space_id.in_(joined_space_ids(bindparam("user_id"))))
    return or_(*wanted) if wanted else literal(0) == literal(1)


def spaces_of(ctx: Context, user_id: int, parent_ids: Sequence[int], *, owned: bool, with_role: bool) -> list[Any]:
    """Return the spaces a user owns or is a member of, by label."""
    rows = rows_of(
        ctx, ("of a user", owned, with_role), lambda: _listed(owned_or_joined(owned=owned, joined=with_role)),
        parent_ids, user_id=user_id,
    )  # fmt: skip
    return _views(ctx, rows)


def accessible(ctx: Context, user_id: int) -> list[Any]:
    """Return the spaces that a user may join or ask to join, by label."""

    def query() -> Any:
        return _listed(
            Space.access_type.in_([literal("open"), literal("on_request")]),
            Space.space_id.not_in(joined_space_ids(bindparam("user_id"))),
        )

    return _views(ctx, rows_of(ctx, "accessible", query, (), user_id=user_id))


def joined_space_ids(user_id: Any) -> Any:
    """Return a SELECT of the ids of the spaces in which a user is a member."""
    return select(Member.space_id).where(Member.user_id == user_id)


def member_space_ids(user_id: Any) -> Any:
    """Return a SELECT of the ids of the spaces a user is a member of, deleted ones left out."""
    return (
        select(Member.space_id)
        .join(Space, Space.space_id == Member.space_id)
        .where(Member.user_id == user_id, type_coerce(Space.is_deleted, Integer) == 0)
    )


JOINED = Statement(
    select(*GUARDED, Space.parent_id, Space.created)
    .join(Member, MINE)
    .where(Space.is_deleted == literal(0))
    .order_by(Space.space_id),
    "JoinedSpace",
)
"""The spaces a user is a member of, deleted ones left out."""

_AGENDA = select(
    Space.space_id, Space.label.label("label"), Space.description, Space.agenda_enabled, Member.role
).join(Member, MINE)
AGENDA = Statement(
    _AGENDA.where(Space.space_id == bindparam("space_id"), Space.is_deleted == literal(0)), "AgendaSpace"
)
AGENDAS = Statement(
    _AGENDA.where(Space.is_deleted == literal(0), Space.agenda_enabled == literal(1)).order_by(
        Space.label, Space.space_id
    ),
    "AgendaSpace",
)
"""The spaces with a calendar of which a user is a member, by label."""


def space_label(id_column: Any) -> tuple[Any, Any, Any]:
    """Return (alias, join condition, label column) of the space of another table's rows."""
    space = aliased(Space, name="labelled_space")
    return space, space.space_id == id_column, space.label


def short_columns(id_column: Any, prefix: str) -> tuple[Any, Any, list[Any]]:
    """Return (alias, join condition, columns `<prefix>__<field>`) for the short form of another table's space."""
    space = aliased(Space, name=f"{prefix}_space")
    columns = [
        space.space_id.label(f"{prefix}__workspace_id"), space.label.label(f"{prefix}__label"),
        space.slug.label(f"{prefix}__slug"),
    ]  # fmt: skip
    return space, space.space_id == id_column, columns


def public_access(id_column: Any) -> tuple[Any, Any, list[Any]]:
    """Return (alias, join condition, columns) of what people without an account may do in another table's space.

    The columns are those by which contents are created in a space, `space_label`, `public_upload_enabled` and
    `public_download_enabled`.
    """
    space = aliased(Space, name="public_space")
    columns = [
        space.space_id.label("space_id"), space.label.label("space_label"),
        type_coerce(space.is_deleted, Integer).label("is_deleted"), space.owner_id, space.publication_enabled,
        space.public_upload_enabled, space.public_download_enabled,
    ]  # fmt: skip
    return space, space.space_id == id_column, columns


def lock(ctx: Context, space_id: int) -> None:
    """Lock a space's row until the commit."""
    ctx.execute(select(Space.space_id).where(Space.space_id == space_id).with_for_update())


def agenda_space_ids(user_id: Any) -> Any:
    """Return a SELECT of the ids of those of them that have their calendar switched on."""
    return member_space_ids(user_id).where(type_coerce(Space.agenda_enabled, Integer) == 1)


def owned_space_ids(owner_id: Any) -> Any:
    """Return a SELECT of the ids of the spaces a user owns, for sums over them."""
    return select(Space.space_id).where(Space.owner_id == owner_id)


def find_by_label(ctx: Context, user_id: int, label: str) -> Any | None:
    """Return the oldest space of this label in which the user is a member."""
    return BY_LABEL.first(ctx, user_id=user_id, label=label, deleted=0)


def used_space(ctx: Context, spaces: Any) -> int:
    """Return the bytes that all plugins keep in the spaces of a SELECT of ids."""
    return sum(size or 0 for size in ctx.kernel.hooks.hook.space_sizes(ctx=ctx, spaces=spaces))


DIGEST = ("user_id", "public_name", "username", "has_cover", "is_active")
AccessTypes = row_type("AccessTypes", ("items",))
SpaceSize = row_type(
    "SpaceSize",
    (
        "workspace_id", "used_space", "allowed_space", "workspace__workspace_id", "workspace__label",
        "workspace__slug", "workspace__deleted_at",
    ),
)  # fmt: skip
UserSize = row_type("UserSize", ("used_space", "allowed_space", *DIGEST, *(f"user__{name}" for name in DIGEST)))


def space_size(ctx: Context, space_id: int) -> Any:
    """Return how many bytes a space holds and may hold; 0: no limit. The space must be there.

    The limit is what the plugin that enforces it announces to clients.
    """
    row: Any = STATE.first(ctx, space_id=space_id)
    used = used_space(ctx, select(Space.space_id).where(Space.space_id == space_id))
    allowed = int(ctx.kernel.capabilities.get("workspace_size_limit") or 0)
    return SpaceSize(space_id, used, allowed, space_id, row.label, row.slug, row.deleted_at)


def user_size(ctx: Context, user: Any) -> Any:
    """Return how many bytes the spaces that a user owns hold, and how many they may; 0: no limit."""
    digest = [getattr(user, name) for name in DIGEST]
    used = used_space(ctx, owned_space_ids(user.user_id))
    return UserSize(used, user.allowed_space or 0, *digest, *digest)


def parent_chain(ctx: Context, space_id: int) -> list[int]:
    """Return a space and its ancestors, from below."""
    start = (
        select(Space.space_id, Space.parent_id, literal(0).label("depth"))
        .where(Space.space_id == space_id)
        .cte("up", recursive=True)
    )
    parent = aliased(Space)
    up = start.union_all(
        select(parent.space_id, parent.parent_id, start.c.depth + 1).where(
            parent.space_id == start.c.parent_id, start.c.depth < 1000
        )
    )
    return list(ctx.execute(select(up.c.space_id).order_by(up.c.depth)).scalars())


def counts_below(ctx: Context, space_id: int) -> dict[str, int]:
    """Return what goes or loses its place with a space: members and direct sub-spaces."""
    members = select(func.count()).where(Member.space_id == space_id).scalar_subquery()
    children = select(func.count()).where(Space.parent_id == space_id).scalar_subquery()
    row: Any = ctx.execute(select(members, children)).one()
    return {"members": int(row[0]), "sub-spaces": int(row[1])}
