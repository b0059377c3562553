"""Writes of accounts."""

from __future__ import annotations

import secrets
import sys
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND

from .config import AccountsConfig
from .errors import (
    EmailAlreadyExists,
    EmailOrUsernameRequired,
    EmailRequired,
    ReservedUsername,
    UsernameAlreadyExists,
)
from .events import UserCreated, UserModified
from .models import Session, User
from .passwords import hash_password

RESERVED = frozenset({"all", "reader", "contributor", "content-manager", "space-manager"})
LEVELS = {"users": 1, "trusted-users": 2, "administrators": 3}


def create_user(
    ctx: Context, *, email: str | None, username: str | None = None, password_hash: str | None = None,
    profile: str | None = None, public_name: str | None = None, timezone: str = "", lang: str | None = None,
    allowed_space: int | None = None, creation_type: str = "admin", notify: bool = False,
) -> int:  # fmt: skip
    """Create an account and return its id; 2036, 2063, 2065, 2066 for logins that cannot be.

    Takes the hash, not the password: hashing costs tens of milliseconds and must not happen under the lock.
    """
    settings = ctx.config[AccountsConfig]
    if not email and not username:
        raise EmailOrUsernameRequired
    if not email and settings.email_required:
        raise EmailRequired
    if username and username.lower() in RESERVED:
        raise ReservedUsername
    _refuse_taken(ctx, email, username)
    name = public_name or (email or "").partition("@")[0] or username or ""
    values = {
        "email": email, "username": username, "public_name": name, "password_hash": password_hash,
        "profile": LEVELS[profile or settings.default_profile], "auth_type": "unknown", "lang": lang,
        "timezone": timezone, "is_active": 1, "is_deleted": 0, "has_cover": 0, "created": ctx.now,
        "creation_type": creation_type, "version": 1,
        "allowed_space": settings.default_allowed_space if allowed_space is None else allowed_space,
    }  # fmt: skip
    try:
        with ctx.savepoint():
            user_id = int(ctx.execute(insert(User).values(**values)).inserted_primary_key[0])  # type: ignore[attr-defined]
    except IntegrityError:
        _refuse_taken(ctx, email, username)
        raise
    ctx.emit(UserCreated(user_id, notify and email is not None))
    return user_id


def _refuse_taken(ctx: Context, email: str | None, username: str | None) -> None:
    if email and ctx.execute(select(User.user_id).where(User.email == email)).first():
        raise EmailAlreadyExists
    if username and ctx.execute(select(User.user_id).where(User.username == username)).first():
        raise UsernameAlreadyExists


def bind_authentication(ctx: Context, row: Any, auth_type: str) -> None:
    """Note the first successful authentication of an account (spec: users, §3)."""
    if row.auth_type == "unknown":
        ctx.execute(update(User).where(User.user_id == row.user_id).values(auth_type=auth_type))
        ctx.emit(UserModified(row.user_id, ("auth_type",)))


def set_password(ctx: Context, user_id: int, password_hash: str) -> None:
    """Change a password; its sessions and remembered credentials end in the same transaction."""
    ctx.execute(
        update(User).where(User.user_id == user_id).values(password_hash=password_hash, version=User.version + 1)
    )
    ctx.execute(delete(Session).where(Session.user_id == user_id))


def token_hash(token: str) -> str:
    """Return what is stored of a session token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(ctx: Context, user_id: int) -> str:
    """Write a session and return its token; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    now = ctx.now
    expires = now + ctx.config[AccountsConfig].session_seconds * SECOND
    ctx.execute(
        insert(Session).values(token_hash=token_hash(token), user_id=user_id, created=now, expires=expires)
    )
    return token


def renew_session(ctx: Context, hashed: str) -> None:
    """Prolong a session by its whole life."""
    expires = ctx.now + ctx.config[AccountsConfig].session_seconds * SECOND
    ctx.execute(update(Session).where(Session.token_hash == hashed).values(expires=expires))


def close_session(ctx: Context, hashed: str) -> None:
    """End one session."""
    ctx.execute(delete(Session).where(Session.token_hash == hashed))


def purge_sessions(ctx: Context) -> None:
    """Delete sessions that are over."""
    ctx.execute(delete(Session).where(Session.expires < ctx.now))


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
