"""What other plugins may use of accounts."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import Unauthenticated
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import Call

from . import queries
from .errors import InsufficientUserProfile, UserNotFound
from .queries import by_login, digest_columns, first_administrator
from .schemas import NamedEmail, UserDigestSchema

NOBODY, USERS, TRUSTED, ADMINISTRATORS = 0, 1, 2, 3


def profile_of(ctx: Context) -> int:
    """Return the caller's profile level; the system has the highest, a stranger none."""
    if ctx.actor.system:
        return ADMINISTRATORS
    return int(ctx.actor.data.profile) if ctx.actor.data is not None else NOBODY


def _at_least(level: int, name: str) -> Guard:
    def check(ctx: Context, call: Call) -> None:
        if profile_of(ctx) < level:
            raise InsufficientUserProfile

    return Guard(name, check, (Unauthenticated, InsufficientUserProfile))


USER = _at_least(USERS, "user")
TRUSTED_USER = _at_least(TRUSTED, "trusted user")
ADMINISTRATOR = _at_least(ADMINISTRATORS, "administrator")


def _is_self(ctx: Context, call: Call) -> None:
    if str(ctx.actor.id) != call.path.get("user_id"):
        raise InsufficientUserProfile


OWN = Guard("own", _is_self, (Unauthenticated, InsufficientUserProfile))


def _load_user(ctx: Context, call: Call) -> None:
    text = call.path.get("user_id", "")
    row = queries.BY_ID.first(ctx, user_id=int(text)) if text.isdigit() else None
    if row is None:
        raise UserNotFound
    ctx.resources["user"] = row


CANDIDATE = Guard("user exists", _load_user, (UserNotFound,))
"""Loads the user of the path; comes after the right to know it."""

OWN_OR_ADMINISTRATOR = any_of(OWN, ADMINISTRATOR)


def get_user(ctx: Context, user_id: int) -> Any:
    """Return a user's row; UserNotFound when there is none."""
    row = queries.BY_ID.first(ctx, user_id=user_id)
    if row is None:
        raise UserNotFound
    return row


def lock_allowance(ctx: Context, user_id: int) -> int:
    """Return the bytes a user may own (0: no limit), his row locked until the commit where there is a limit."""
    row = queries.BY_ID.first(ctx, user_id=user_id)
    allowed = int(row.allowed_space) if row is not None else 0
    if allowed:
        queries.lock(ctx, user_id)
    return allowed


__all__ = [
    "ADMINISTRATOR", "ADMINISTRATORS", "CANDIDATE", "NOBODY", "OWN", "OWN_OR_ADMINISTRATOR", "TRUSTED",
    "TRUSTED_USER", "USER", "USERS", "InsufficientUserProfile", "NamedEmail", "UserDigestSchema",
    "UserNotFound", "by_login", "digest_columns", "first_administrator", "get_user", "lock_allowance",
    "profile_of",
]  # fmt: skip
