"""What other plugins may use of spaces."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard, any_of, requires
from atrio.kernel.http.route import Call
from atrio.plugins.accounts.api import ADMINISTRATOR, ADMINISTRATORS, TRUSTED_USER, USER, profile_of

from . import queries
from .errors import InsufficientUserRole, InvalidSpaceId, SpaceNotFound
from .permissions import LEVELS, ROLES
from .queries import find_by_label, member_ids, member_space_ids, owned_space_ids, short_columns
from .services import create_space


def load_space(ctx: Context, space_id: int) -> None:
    """Load a space that the caller may see into `ctx.resources["space"]`; SpaceNotFound otherwise.

    Members see it, administrators see every one; nobody else can tell absent from hidden.
    """
    row = queries.GUARD.first(ctx, space_id=space_id, user_id=ctx.actor.id or 0)
    if row is None or (row.my_role is None and profile_of(ctx) < ADMINISTRATORS):
        raise SpaceNotFound
    ctx.resources["space"] = row


def _load(ctx: Context, call: Call) -> None:
    text = call.path.get("workspace_id", "")
    if not (text.isascii() and text.isdigit()):
        raise InvalidSpaceId
    if len(text) > 18 or int(text) == 0:
        raise SpaceNotFound
    load_space(ctx, int(text))


SPACE = Guard("space", _load, (InvalidSpaceId, SpaceNotFound))
"""Loads the space of the path."""


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
CREATE_SPACE = TRUSTED_USER


def is_member(ctx: Context, space_id: int, user_id: int) -> bool:
    """Tell whether a user is a member of a space."""
    return queries.ROLE.value(ctx, space_id=space_id, user_id=user_id) is not None


__all__ = [
    "CONTENT_MANAGER", "CONTRIBUTOR", "CREATE_SPACE", "LEVELS", "MODIFY_SPACE", "READER", "ROLES",
    "SEE_SPACE", "SPACE", "WORKSPACE_MANAGER", "InsufficientUserRole", "SpaceNotFound", "create_space",
    "find_by_label", "is_member", "load_space", "member_ids", "member_space_ids", "owned_space_ids",
    "role", "short_columns",
]  # fmt: skip
