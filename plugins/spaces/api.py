"""What other plugins may use of spaces."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard, any_of, requires
from atrio.kernel.http.route import Call
from atrio.plugins.accounts.api import ADMINISTRATOR, ADMINISTRATORS, TRUSTED_USER, USER, profile_of

from . import queries, schemas
from .audiences import every_member, members_at_least, one_user, space_public
from .errors import InsufficientUserRole, InvalidSpaceId, SpaceNotFound
from .models import MEMBER
from .models import SPACE as SPACE_TABLE
from .permissions import LEVELS, ROLES
from .queries import (
    agenda_space_ids,
    fellow_members,
    find_by_label,
    mail_modes,
    mail_modes_among,
    member_ids,
    member_space_ids,
    owned_space_ids,
    public_access,
    share_a_space,
    short_columns,
    sidebar_entries,
    space_label,
    subscription,
    used_space,
)
from .queries import lock as lock_space
from .queries import members as member_views
from .queries import one as space_view
from .schemas import NestedSpaceSchema, SpaceDigestSchema, SpaceNameSchema, SpaceSchema, shown_label
from .services import create_space, restore_space, trash_space


def find_space(ctx: Context, space_id: int) -> Any:
    """Return a space that the caller may see, with his role in it; SpaceNotFound otherwise.

    Members see it, administrators see every one; nobody else can tell absent from hidden.
    """
    row = queries.GUARD.first(ctx, space_id=space_id, user_id=ctx.actor.id or 0)
    if row is None or (row.my_role is None and profile_of(ctx) < ADMINISTRATORS):
        raise SpaceNotFound
    return row


def load_space(ctx: Context, space_id: int) -> None:
    """Load a space that the caller may see into `ctx.resources["space"]`; SpaceNotFound otherwise."""
    ctx.resources["space"] = find_space(ctx, space_id)


def _load(ctx: Context, call: Call) -> None:
    text = call.path.get("workspace_id", "")
    if not (text.isascii() and text.isdigit()):
        raise InvalidSpaceId
    if len(text) > 18 or int(text) == 0:
        raise SpaceNotFound
    load_space(ctx, int(text))


SPACE = Guard("space", _load, (InvalidSpaceId, SpaceNotFound))
"""Loads the space of the path."""


def refuse_trashed(space: Any) -> None:
    """Raise SpaceNotFound for a trashed space: nothing new is put into it. `space` is what SPACE loaded."""
    if space.is_deleted:
        raise SpaceNotFound("the space is in the trash")


def _not_trashed(ctx: Context, call: Call) -> None:
    refuse_trashed(ctx.resources["space"])


NOT_TRASHED = Guard("space not in the trash", _not_trashed, (SpaceNotFound,))
"""For routes that put something new into a space; comes after SPACE and the role."""


def role(slug: str) -> Guard:
    """Return the guard that asks for a role in the space of the path; comes after SPACE."""
    return requires(f"spaces.{slug}", of="space", errors=(InsufficientUserRole,))


READER = role("reader")
CONTRIBUTOR = role("contributor")
CONTENT_MANAGER = role("content-manager")
WORKSPACE_MANAGER = role("workspace-manager")


def _both(name: str, first: Guard, second: Guard) -> Guard:
    def check(ctx: Context, call: Call) -> None:
        first.check(ctx, call)
        second.check(ctx, call)

    return Guard(name, check, (*first.errors, *second.errors))


SEE_SPACE = any_of(ADMINISTRATOR, _both("reader and user", READER, USER))
MODIFY_SPACE = any_of(ADMINISTRATOR, _both("workspace-manager and user", WORKSPACE_MANAGER, USER))
DELETE_SPACE = any_of(ADMINISTRATOR, _both("workspace-manager and trusted user", WORKSPACE_MANAGER, TRUSTED_USER))
CREATE_SPACE = TRUSTED_USER

space_dumper = schemas.space
"""The JSON of `space_view`, with description: as events of spaces and mentions carry it."""
nested_space_dumper = schemas.nested_space
"""The JSON of `space_view` without description and number of members: as members and settings carry it."""
member_dumper = schemas.member
subscription_dumper = schemas.subscription


def joined_spaces(ctx: Context, user_id: int) -> list[Any]:
    """Return the spaces a user is a member of, by id: what SPACE loads of each, and parent_id and created."""
    return queries.JOINED.all(ctx, user_id=user_id)


def agenda_spaces(ctx: Context, user_id: int) -> list[Any]:
    """Return space_id, label, description, agenda_enabled and role of a user's spaces with a calendar."""
    return queries.AGENDAS.all(ctx, user_id=user_id)


def agenda_space(ctx: Context, space_id: int, user_id: int) -> Any | None:
    """Return the same of one space, its calendar on or off; None where he is no member, or it is in the trash."""
    return queries.AGENDA.first(ctx, space_id=space_id, user_id=user_id)


def told_space(ctx: Context, space_id: int, *, described: bool = False) -> Any:
    """Return a space as events tell it, with or without description; None when it is gone. Read once a unit."""
    row = queries.left(ctx, space_id)
    if row is None:
        return None
    return (schemas.space if described else schemas.brief_space).build(row)


def is_member(ctx: Context, space_id: int, user_id: int) -> bool:
    """Tell whether a user is a member of a space."""
    return queries.ROLE.value(ctx, space_id=space_id, user_id=user_id) is not None


__all__ = [
    "CONTENT_MANAGER", "CONTRIBUTOR", "CREATE_SPACE", "DELETE_SPACE", "LEVELS", "MEMBER", "MODIFY_SPACE",
    "NOT_TRASHED", "READER", "ROLES", "SEE_SPACE", "SPACE", "SPACE_TABLE", "WORKSPACE_MANAGER",
    "InsufficientUserRole", "InvalidSpaceId", "NestedSpaceSchema", "SpaceDigestSchema", "SpaceNameSchema",
    "SpaceNotFound", "SpaceSchema", "agenda_space", "agenda_space_ids", "agenda_spaces", "create_space",
    "every_member", "fellow_members", "find_by_label", "find_space", "is_member", "joined_spaces", "load_space",
    "lock_space", "mail_modes", "mail_modes_among", "member_dumper", "member_ids", "member_space_ids",
    "member_views", "members_at_least", "nested_space_dumper", "one_user", "owned_space_ids", "public_access",
    "refuse_trashed", "restore_space", "role", "share_a_space", "short_columns", "shown_label", "sidebar_entries",
    "space_dumper", "space_label", "space_public", "space_view", "subscription", "subscription_dumper",
    "told_space", "trash_space", "used_space",
]  # fmt: skip
