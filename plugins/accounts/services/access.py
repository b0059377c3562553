"""Sessions, tokens and passwords: everything that lets somebody in, and the end of it."""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import delete, insert, update

from atrio.kernel.context import Context
from atrio.kernel.jobs import SECOND

from ..config import AccountsConfig
from ..errors import InvalidResetToken
from ..events import SessionsEnded
from ..models import ApplicationToken, Session, Token, User

KEPT_SECONDS = 86400
"""How long a token that is over is remembered, so that its owner reads `expired` and not `unknown`."""


def end_access(ctx: Context, user_id: int) -> None:
    """End every session and token of an account, and tell whoever holds a stream open."""
    ctx.execute(delete(Session).where(Session.user_id == user_id))
    forget_tokens(ctx, user_id)
    ctx.emit(SessionsEnded(user_id))


def set_password(ctx: Context, user_id: int, password_hash: str) -> None:
    """Change a password; sessions, tokens and remembered credentials end in the same transaction."""
    ctx.execute(
        update(User).where(User.user_id == user_id).values(password_hash=password_hash, version=User.version + 1)
    )
    end_access(ctx, user_id)


# -- sessions --------------------------------------------------------------------------------------------------


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
    """End one session; the streams of a user who is known end with it."""
    ctx.execute(delete(Session).where(Session.token_hash == hashed))
    if ctx.actor.id is not None:
        ctx.emit(SessionsEnded(ctx.actor.id))


def purge_sessions(ctx: Context) -> None:
    """Delete sessions that are over."""
    ctx.execute(delete(Session).where(Session.expires < ctx.now))


# -- tokens ------------------------------------------------------------------------------------------------------


def issue_access_token(ctx: Context, user_id: int) -> str:
    """Return a new token that signs a user in as `?access_token=`; only its hash is stored."""
    return _issue(ctx, user_id, "access", ctx.config[AccountsConfig].access_token_seconds)


def make_reset_token(ctx: Context, user_id: int, *, welcome: bool = False) -> str:
    """Return a new token with which an account sets its password, once; `welcome` gives it the longer life."""
    settings = ctx.config[AccountsConfig]
    return _issue(
        ctx, user_id, "reset", settings.welcome_token_seconds if welcome else settings.reset_token_seconds
    )


def _issue(ctx: Context, user_id: int, purpose: str, seconds: int) -> str:
    token = secrets.token_urlsafe(32)
    now = ctx.now
    ctx.execute(delete(Token).where(Token.expires < now - KEPT_SECONDS * SECOND))
    ctx.execute(
        insert(Token).values(
            token_hash=token_hash(token), purpose=purpose, user_id=user_id, created=now,
            expires=now + seconds * SECOND,
        )
    )  # fmt: skip
    return token


def use_reset_token(ctx: Context, user_id: int, token: str, password_hash: str) -> None:
    """Set a password with a token that was found good; InvalidResetToken when another request was first."""
    gone = ctx.execute(delete(Token).where(Token.token_hash == token_hash(token), Token.purpose == "reset"))
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise InvalidResetToken
    set_password(ctx, user_id, password_hash)


def forget_tokens(ctx: Context, user_id: int, purpose: str | None = None) -> None:
    """End the tokens of an account, of all purposes or of one."""
    doomed = delete(Token).where(Token.user_id == user_id)
    ctx.execute(doomed if purpose is None else doomed.where(Token.purpose == purpose))
    if purpose is None:
        ctx.execute(delete(ApplicationToken).where(ApplicationToken.user_id == user_id))
