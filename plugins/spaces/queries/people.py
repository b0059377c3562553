"""Whom a user knows: people of the same spaces, and the search for people to invite."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal, select, type_coerce
from sqlalchemy.orm import aliased

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns

from ..models import Member, Space

_mine = aliased(Member, name="mine")
_theirs = aliased(Member, name="theirs")
_person, _, _ = digest_columns(literal(0), "known")
KnownView = row_type(
    "KnownView", ("user_id", "public_name", "username", "has_cover", "is_active", "workspace_ids")
)
IN_LIMIT = 500
"""Up to so many people are named in the statement that reads their spaces; beyond it reads all common ones."""


@dataclass(frozen=True)
class Search:
    """Which people are wanted. `needle` None: everybody; an id list None: no such condition."""

    needle: str | None = None
    everybody: bool = False
    of_spaces: Sequence[int] | None = None
    not_of_spaces: Sequence[int] = ()
    not_users: Sequence[int] = ()
    limit: int | None = None


def _common(user_id: int) -> Any:
    """Return the SELECT of (user, space) for the spaces that others share with a user, deleted ones left out."""
    return (
        select(_theirs.user_id, _theirs.space_id)
        .join(_mine, _mine.space_id == _theirs.space_id)
        .join(Space, Space.space_id == _theirs.space_id)
        .where(_mine.user_id == user_id, Space.is_deleted == 0)
    )


SHARE = Statement(
    select(_theirs.space_id)
    .join(_mine, _mine.space_id == _theirs.space_id)
    .join(Space, Space.space_id == _theirs.space_id)
    .where(
        _mine.user_id == bindparam("user_id"), _theirs.user_id == bindparam("other_id"),
        Space.is_deleted == literal(0),
    )
    .limit(literal(1, Integer)),
    "CommonSpace",
)  # fmt: skip


def share_a_space(ctx: Context, user_id: int, other_id: int) -> bool:
    """Tell whether two users are members of a common space that is not deleted."""
    return SHARE.first(ctx, user_id=user_id, other_id=other_id) is not None


def fellow_members(
    ctx: Context, user_ids: Collection[int], among: Collection[int] | None = None
) -> Sequence[Any]:  # fmt: skip
    """Return (space_id, user_id) of the members of every not deleted space in which one of some users is a member.

    `among` names whom alone the caller asks for; the users themselves must be among them to be there.
    """
    theirs = (
        select(_theirs.space_id)
        .join(Space, Space.space_id == _theirs.space_id)
        .where(_theirs.user_id.in_(user_ids), Space.is_deleted == 0)
    )
    query = select(_mine.space_id, _mine.user_id).where(_mine.space_id.in_(theirs))
    if among is not None:
        query = query.where(_mine.user_id.in_(among))
    return ctx.execute(query).all()


def joined(ctx: Context, user_id: int, space_ids: Iterable[int]) -> set[int]:
    """Return those of some spaces in which the user is a member."""
    wanted = select(Member.space_id).where(Member.user_id == user_id, Member.space_id.in_(list(space_ids)))
    return set(ctx.execute(wanted).scalars())


def _people(user_id: int, wanted: Search) -> Any:
    query = select(
        _person.user_id, _person.public_name, _person.username, _person.has_cover, _person.is_active
    ).where(type_coerce(_person.is_deleted, Integer) == 0)
    if wanted.of_spaces is not None:
        inside = select(Member.user_id).where(Member.space_id.in_(list(wanted.of_spaces)))
        query = query.where(_person.user_id.in_(inside))
    elif not wanted.everybody:
        query = query.where(_person.user_id.in_(_common(user_id).with_only_columns(_theirs.user_id)))
    if wanted.not_of_spaces:
        outside = select(Member.user_id).where(Member.space_id.in_(list(wanted.not_of_spaces)))
        query = query.where(_person.user_id.not_in(outside))
    if wanted.not_users:
        query = query.where(_person.user_id.not_in(list(wanted.not_users)))
    if wanted.needle is not None:
        escaped = wanted.needle.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        hits = [
            func.lower(column).like(f"%{escaped}%", escape="!")
            for column in (_person.public_name, _person.username, _person.email)
        ]
        query = query.where(type_coerce(_person.is_active, Integer) == 1, hits[0] | hits[1] | hits[2])
    query = query.order_by(func.lower(_person.public_name), _person.user_id)
    return query if wanted.limit is None else query.limit(wanted.limit)


def known_members(ctx: Context, user_id: int, wanted: Search) -> list[Any]:
    """Return people with the ids of the spaces they share with a user: two statements whatever their number."""
    people: Any = ctx.execute(_people(user_id, wanted)).all()
    if not people:
        return []
    pairs: Any = _common(user_id)
    if len(people) <= IN_LIMIT:
        pairs = pairs.where(_theirs.user_id.in_([p.user_id for p in people]))
    shared: dict[int, list[int]] = {}
    rows: Any = ctx.execute(pairs.order_by(_theirs.user_id, _theirs.space_id))
    for other_id, space_id in rows:
        shared.setdefault(other_id, []).append(space_id)
    return [KnownView(*p, shared.get(p.user_id, [])) for p in people]
