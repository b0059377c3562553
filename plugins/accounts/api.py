"""What other plugins may use of accounts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.errors import Unauthenticated
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import Call

from . import queries, services
from .authentication import throttle_of
from .config import AccountsConfig
from .errors import InsufficientUserProfile, InvalidUserId, UserNotFound, WrongGuestPassword
from .events import UserModified
from .guests import check_guest_password, hash_guest_password, new_token, shown_address
from .permissions import KNOWS_USER as KNOWS_USER_PERMISSION
from .queries import (
    account_texts,
    by_login,
    digest_columns,
    first_administrator,
    gets_mail,
    is_active_account,
    mail_addressees,
    user_ids,
)
from .queries import lock as lock_user
from .schemas import Email, NamedEmail, UserDigestSchema, digest
from .services import issue_access_token, make_reset_token

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
    row = queries.BY_ID.first(ctx, user_id=int(text)) if text.isdigit() and len(text) <= 18 else None
    if row is None:
        raise UserNotFound
    ctx.resources["user"] = row


CANDIDATE = Guard("user exists", _load_user, (UserNotFound,))
"""Loads the user of the path; comes after the right to know it."""


def _know_user(ctx: Context, call: Call) -> None:
    _load_user(ctx, call)
    user = ctx.resources["user"]
    if user.is_deleted:
        raise UserNotFound
    ctx.kernel.rights.check(ctx, KNOWS_USER_PERMISSION, user)


KNOWS_USER = Guard("knows user", _know_user, (UserNotFound,))
"""Loads the user of the path if the caller may know him: oneself, the trusted, and whom a policy allows.

Policies of the permission `accounts.knows-user` get the user's row; who abstains lets others decide.
"""

OWN_OR_ADMINISTRATOR = any_of(OWN, ADMINISTRATOR)


def get_user(ctx: Context, user_id: int) -> Any:
    """Return a user's row; UserNotFound when there is none."""
    row = queries.BY_ID.first(ctx, user_id=user_id)
    if row is None:
        raise UserNotFound
    return row


def user_digest(ctx: Context, user_id: int | None) -> Any:
    """Return what everybody may see of a user, as the wire shows it; None for nobody. Read once a unit.

    For what is told at the end of a unit: a change that comes after the first call is not seen.
    """
    if user_id is None:
        return None
    key = f"accounts.digest:{user_id}"
    if key not in ctx.resources:
        row = ctx.actor.data if user_id == ctx.actor.id and not _touched(ctx) else None
        if row is None:
            row = queries.DIGEST_OF.first(ctx, user_id=user_id)
        ctx.resources[key] = None if row is None else digest.build(row)
    return ctx.resources[key]


def _touched(ctx: Context) -> bool:
    """Tell whether this unit may have changed what the actor's row showed when he was authenticated."""
    return any(type(event).__module__ == UserModified.__module__ for event in ctx.events)


def user_parameters(ctx: Context, user_id: int) -> dict[str, Any]:
    """Return what clients keep for a user."""
    rows = queries.PARAMETERS.all(ctx, user_id=user_id)
    return {row.name: msgspec.json.decode(row.value) for row in rows}


def lock_allowance(ctx: Context, user_id: int) -> int:
    """Return the bytes a user may own (0: no limit), his row locked until the commit where there is a limit."""
    allowed = int(queries.ALLOWANCE.value(ctx, user_id=user_id) or 0)
    if allowed:
        queries.lock(ctx, user_id)
    return allowed


def within_limit(ctx: Context, name: str, who: str, allowed: int) -> bool:
    """Count a call and tell whether it is among the first ones of ten minutes."""
    return throttle_of(ctx).pass_by(name, who, allowed)


def knows_everybody(ctx: Context) -> bool:
    """Tell whether the caller may find people with whom he shares no space (option `known_members_filter`)."""
    return profile_of(ctx) >= TRUSTED or not ctx.config[AccountsConfig].known_members_filter


def may_invite(ctx: Context) -> bool:
    """Tell whether the caller may open accounts for unknown addresses (option `invitation_minimal_profile`)."""
    return profile_of(ctx) >= services.LEVELS[ctx.config[AccountsConfig].invitation_minimal_profile]


def invite_user(ctx: Context, address: str, public_name: str | None = None) -> int:
    """Create the account of an invited address, without a password, and return its id.

    The address must be valid (`NamedEmail`); 2036 when it was taken meanwhile. Ask `may_invite` before.
    """
    return services.create_user(
        ctx, email=Email().deserialize(address), public_name=public_name or None, creation_type="invitation",
        notify=ctx.config[AccountsConfig].invitation_notify,
    )  # fmt: skip


def reset_link(ctx: Context, email: str, token: str) -> str:
    """Return the address of the page on which a token sets a password; only for who holds the token."""
    return f"{base_url(ctx.config)}/ui/reset-password?{urlencode({'token': token, 'email': email})}"


__all__ = [
    "ADMINISTRATOR", "ADMINISTRATORS", "CANDIDATE", "KNOWS_USER", "KNOWS_USER_PERMISSION", "NOBODY", "OWN",
    "OWN_OR_ADMINISTRATOR", "TRUSTED", "TRUSTED_USER", "USER", "USERS", "InsufficientUserProfile",
    "InvalidUserId", "NamedEmail", "UserDigestSchema", "UserNotFound", "WrongGuestPassword", "account_texts",
    "by_login", "check_guest_password", "digest_columns", "first_administrator", "get_user", "gets_mail",
    "hash_guest_password", "invite_user", "is_active_account", "issue_access_token", "knows_everybody",
    "lock_allowance", "lock_user", "mail_addressees", "make_reset_token", "may_invite", "new_token", "profile_of",
    "reset_link", "shown_address", "user_digest", "user_ids", "user_parameters", "within_limit",
]  # fmt: skip
