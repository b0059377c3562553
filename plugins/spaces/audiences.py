"""Who is told of what happens in a space: SELECTs of user ids with their values (spec: events, §3).

Each SELECT is built once and told apart by identity; the values come beside it. An id comes once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, bindparam, exists, literal, or_, select, type_coerce, union
from sqlalchemy.orm import aliased

from atrio.kernel.db.base import Id
from atrio.plugins.accounts.api import is_active_account, user_ids

from .models import Member, Space

Audience = tuple[Any, dict[str, Any]]

_space_id = bindparam("space_id", type_=Id)
_user_id = bindparam("user_id", type_=Id)
_members = select(Member.user_id).where(Member.space_id == _space_id, is_active_account(Member.user_id))
_administrators = user_ids(administrators=True)
_everybody = user_ids()
_subject = _everybody.where(_everybody.selected_columns[0] == _user_id)
_findable = select(Space.space_id).where(
    Space.space_id == _space_id,
    or_(Space.access_type == literal("open"), Space.access_type == literal("on_request")),
)
_mine = aliased(Member, name="mine")
_common = (
    select(_mine.space_id)
    .join(Space, Space.space_id == _mine.space_id)
    .where(_mine.user_id == _user_id, type_coerce(Space.is_deleted, Integer) == literal(0))
)

MEMBERS = _members
SUBJECT = _subject
AT_LEAST = _members.where(Member.role >= bindparam("level"))
WITH_SUBJECT = union(_members, _administrators, _subject)
MANAGERS_AND_AUTHOR = union(AT_LEAST, _administrators, _subject)
PUBLIC = union(_members, _administrators, _everybody.where(exists(_findable)))
ACQUAINTANCES = union(
    select(Member.user_id).where(Member.space_id.in_(_common), is_active_account(Member.user_id)),
    _administrators, _subject,
)  # fmt: skip


def every_member(space_id: int) -> Audience:
    """Return the members who can sign in; administrators only where they are members."""
    return MEMBERS, {"space_id": space_id}


def members_at_least(space_id: int, level: int) -> Audience:
    """Return the members from a role on; 0: all."""
    return AT_LEAST, {"space_id": space_id, "level": level}


def members_and_administrators(space_id: int, user_id: int) -> Audience:
    """Return the members, the administrators, and one who is concerned, member or not."""
    return WITH_SUBJECT, {"space_id": space_id, "user_id": user_id}


def managers_and_author(space_id: int, user_id: int, level: int) -> Audience:
    """Return those who decide about a request, the administrators, and who made it."""
    return MANAGERS_AND_AUTHOR, {"space_id": space_id, "user_id": user_id, "level": level}


def space_public(space_id: int) -> Audience:
    """Return all accounts where a space can be found by everybody, else its members and the administrators."""
    return PUBLIC, {"space_id": space_id}


def one_user(user_id: int) -> Audience:
    """Return a user alone."""
    return SUBJECT, {"user_id": user_id}


def acquaintances(user_id: int) -> Audience:
    """Return a user, whoever shares a space with him, and the administrators."""
    return ACQUAINTANCES, {"user_id": user_id}
