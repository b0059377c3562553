"""Accounts: created, changed, disabled, deleted and brought back."""

from __future__ import annotations

import secrets
import sys
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Actor, Context
from atrio.kernel.db.constraints import violates

from .. import queries
from ..config import AccountsConfig, read_only_fields
from ..errors import (
    EmailAlreadyExists,
    EmailOrUsernameRequired,
    EmailRequired,
    ExternalEmail,
    ExternalPassword,
    ReadOnlyField,
    ReservedUsername,
    UsernameAlreadyExists,
    UserNotFound,
)
from ..events import PasswordResetRequested, UserCreated, UserModified, UserRestored, UserTrashed
from ..models import User
from ..passwords import hash_password
from .access import end_access, forget_tokens

RESERVED = ("all", "reader", "contributor", "content-manager", "space-manager")
LEVELS = {"users": 1, "trusted-users": 2, "administrators": 3}


def create_user(
    ctx: Context, *, email: str | None, username: str | None = None, password_hash: str | None = None,
    profile: str | None = None, public_name: str | None = None, timezone: str = "", lang: str | None = None,
    allowed_space: int | None = None, creation_type: str = "admin", auth_type: str = "unknown",
    notify: bool = False,
) -> int:  # fmt: skip
    """Create an account and return its id; 2036, 2063, 2065, 2066 for logins that cannot be.

    Takes the hash, not the password: hashing costs tens of milliseconds and must not happen under the lock.
    """
    settings = ctx.config[AccountsConfig]
    if not email and not username:
        raise EmailOrUsernameRequired
    if not email and settings.email_required:
        raise EmailRequired
    refuse_reserved(ctx, username)
    _refuse_taken(ctx, email, username)
    name = public_name or (email or "").partition("@")[0] or username or ""
    values = {
        "email": email, "username": username, "public_name": name, "password_hash": password_hash,
        "profile": LEVELS[profile or settings.default_profile], "auth_type": auth_type, "lang": lang,
        "timezone": timezone, "is_active": 1, "is_deleted": 0, "has_cover": 0, "created": ctx.now,
        "creation_type": creation_type, "version": 1,
        "allowed_space": settings.default_allowed_space if allowed_space is None else allowed_space,
    }  # fmt: skip
    try:
        with ctx.savepoint():
            user_id = int(ctx.execute(insert(User).values(**values)).inserted_primary_key[0])  # type: ignore[attr-defined]
    except IntegrityError as error:
        raise _lost_race(error) from error
    ctx.emit(UserCreated(user_id, notify and email is not None))
    return user_id


def reserved_usernames(ctx: Context) -> tuple[str, ...]:
    """Return the usernames that nobody may take, in lower case."""
    configured = (name.lower() for name in ctx.config[AccountsConfig].reserved_usernames)
    return tuple(dict.fromkeys((*RESERVED, *configured)))


def refuse_reserved(ctx: Context, username: str | None) -> None:
    """Raise ReservedUsername (2066) for the name of a group."""
    if username and username.lower() in reserved_usernames(ctx):
        raise ReservedUsername


def _refuse_taken(ctx: Context, email: str | None, username: str | None, but: int = 0) -> None:
    others = select(User.user_id).where(User.user_id != but)
    if email and ctx.execute(others.where(User.email == email)).first():
        raise EmailAlreadyExists
    if username and ctx.execute(others.where(User.username == username)).first():
        raise UsernameAlreadyExists


def _lost_race(error: IntegrityError) -> Exception:
    """Return the refusal of the login that another request took meanwhile, or the error itself."""
    if violates(error, "uq_accounts_user_email", ("email",)):
        return EmailAlreadyExists()
    if violates(error, "uq_accounts_user_username", ("username",)):
        return UsernameAlreadyExists()
    return error


def refuse_read_only(ctx: Context, user: Any, field: str) -> None:
    """Raise ReadOnlyField (4004) where the instance keeps this field of such accounts as it is."""
    if field in read_only_fields(ctx.config[AccountsConfig], user.auth_type):
        raise ReadOnlyField(f"{field} cannot be changed")


def refuse_external_email(user: Any) -> None:
    """Raise ExternalEmail (2048) for an account whose address is kept by a directory or a proxy."""
    if user.auth_type in ("ldap", "remote"):
        raise ExternalEmail


def refuse_external_password(user: Any) -> None:
    """Raise ExternalPassword (2049) for an account whose password is not ours."""
    if user.auth_type in ("ldap", "remote", "saml"):
        raise ExternalPassword


def update_user(ctx: Context, user_id: int, **values: Any) -> tuple[str, ...]:
    """Change columns of an account and return those that changed; 1001, 2036, 2063 or 2066 when it cannot be.

    The address, the username and the state end remembered credentials; a new address ends the links for a new
    password that went to the old one; who is disabled or deleted is signed out in the same transaction.
    """
    row = queries.BY_ID.first(ctx, user_id=user_id)
    if row is None:
        raise UserNotFound
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return ()
    refuse_reserved(ctx, changed.get("username"))
    _write(ctx, user_id, changed)
    if "email" in changed:
        forget_tokens(ctx, user_id, "reset")
    if changed.get("is_active") == 0 or changed.get("is_deleted") == 1:
        end_access(ctx, user_id)
    if "is_deleted" in changed:
        ctx.emit(UserTrashed(user_id) if changed["is_deleted"] else UserRestored(user_id))
    others = tuple(name for name in changed if name != "is_deleted")
    if others:
        ctx.emit(UserModified(user_id, others))
    return tuple(changed)


def _write(ctx: Context, user_id: int, changed: dict[str, Any]) -> None:
    email, username = changed.get("email"), changed.get("username")
    _refuse_taken(ctx, email, username, user_id)
    if not {"email", "username", "is_active", "is_deleted", "profile"}.isdisjoint(changed):
        changed = {**changed, "version": User.version + 1}
    try:
        with ctx.savepoint():
            ctx.execute(update(User).where(User.user_id == user_id).values(**changed))
    except IntegrityError as error:
        raise _lost_race(error) from error


def set_enabled(ctx: Context, user_id: int, enabled: bool) -> None:
    """Let an account sign in, or stop it and end its sessions."""
    update_user(ctx, user_id, is_active=int(enabled))


def set_trashed(ctx: Context, user_id: int, trashed: bool) -> None:
    """Delete an account so that it can come back, or bring it back; what it wrote stays either way."""
    update_user(ctx, user_id, is_deleted=int(trashed))


def request_password_reset(ctx: Context, user: Any) -> None:
    """Ask whoever sends mail for a link; nothing happens for accounts whose password is not ours."""
    if user.auth_type in ("internal", "unknown"):
        ctx.emit(PasswordResetRequested(user.user_id))


def bind_authentication(ctx: Context, row: Any, auth_type: str) -> None:
    """Note the first successful authentication of an account (spec: users, §3); he is the author of the change."""
    if row.auth_type == "unknown":
        ctx.actor = Actor(row.user_id, "user", row, "sign-in")
        ctx.execute(update(User).where(User.user_id == row.user_id).values(auth_type=auth_type))
        ctx.emit(UserModified(row.user_id, ("auth_type",)))


def create_first_administrator(ctx: Context) -> None:
    """Create user 1 from the config; without a password in it, print a generated one, once."""
    settings = ctx.config[AccountsConfig]
    generated = None
    password = settings.admin_password
    if not password:
        generated = password = secrets.token_urlsafe(12)
    create_user(
        ctx, email=settings.admin_email.strip().lower(), password_hash=hash_password(password),
        profile="administrators", public_name="Global manager", creation_type="cli",
    )  # fmt: skip
    if generated is not None:
        sys.stdout.write(f"First login {settings.admin_email}\nPassword    {generated}   (shown only now)\n")
        sys.stdout.flush()
