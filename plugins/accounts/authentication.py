"""How a request becomes an actor: session cookie, API key, Basic, in this order (spec: auth, §1)."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from email.utils import formatdate
from typing import Any

from atrio.kernel.config import RedisConfig
from atrio.kernel.context import Actor, Context
from atrio.kernel.errors import CrossSiteRequest, TooManyRequests
from atrio.kernel.http.request import Request
from atrio.kernel.http.route import SAFE_METHODS
from atrio.kernel.jobs import SECOND

from . import passwords, queries, services
from .config import AccountsConfig

COOKIE = "session_key"


def authenticate(request: Request, ctx: Context) -> Actor | None:
    """Return the user of a request, None for a stranger; CrossSiteRequest for a forged cookie request."""
    headers = request.headers
    if "cookie" in headers:
        actor = _by_cookie(request, ctx)
        if actor is not None:
            return actor
    if "tracim-api-key" in headers or "atrio-api-key" in headers:
        actor = _by_api_key(request, ctx)
        if actor is not None:
            return actor
    if headers.get("authorization", "")[:6].lower() == "basic ":
        return _by_basic(request, ctx)
    return None


def _actor(row: Any, via: str) -> Actor | None:
    if row is None or not row.is_active or row.is_deleted:
        return None
    return Actor(row.user_id, "user", row, via)


# -- sessions ----------------------------------------------------------------------------------------------


def _by_cookie(request: Request, ctx: Context) -> Actor | None:
    token = request.cookies.get(COOKIE, "")
    if len(token) < 20:
        return None
    now = ctx.now
    row = queries.BY_SESSION.first(ctx, token_hash=services.token_hash(token), now=now)
    actor = _actor(row, "session")
    if actor is None or row is None:
        return None
    if request.method not in SAFE_METHODS and not ctx.kernel.app.gate.may_write_with_cookie(request):
        raise CrossSiteRequest
    life = ctx.config[AccountsConfig].session_seconds
    if row.session_expires - now < life * SECOND // 2:
        ctx.answer_headers.append(("set-cookie", cookie(ctx, token)))
        # In a unit of its own: the request that showed the session may be a reading one.
        ctx.later(lambda kernel: kernel.run(lambda own: services.renew_session(own, services.token_hash(token))))
    return actor


def token_of(request: Request) -> str | None:
    """Return the hash of the session token that a request carries."""
    token = request.cookies.get(COOKIE, "")
    return services.token_hash(token) if token else None


def cookie(ctx: Context, token: str) -> str:
    """Return the Set-Cookie value; an empty token expires the cookie."""
    settings = ctx.config[AccountsConfig]
    moment = ctx.now // SECOND + settings.session_seconds if token else 0
    secure = "; Secure" if settings.session_secure else ""
    return f"{COOKIE}={token}; expires={formatdate(moment, usegmt=True)}; HttpOnly; Path=/; SameSite=Lax{secure}"


# -- API key -----------------------------------------------------------------------------------------------


def _by_api_key(request: Request, ctx: Context) -> Actor | None:
    expected = ctx.config[AccountsConfig].api_key
    headers = request.headers
    given = headers.get("tracim-api-key") or headers.get("atrio-api-key") or ""
    login = headers.get("tracim-api-login") or headers.get("atrio-api-login") or ""
    if not expected or not login:
        return None
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8")):
        return None
    return _actor(queries.by_login(ctx, login), "api key")


# -- passwords ---------------------------------------------------------------------------------------------


def _by_basic(request: Request, ctx: Context) -> Actor | None:
    try:
        decoded = base64.b64decode(request.headers["authorization"][6:].strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    login, colon, password = decoded.partition(":")
    if not colon or not login or len(decoded) > 1024 or "\x00" in login:
        return None
    return _actor(check_password(ctx, login, password, request.client), "basic")


def check_password(ctx: Context, login: str, password: str, address: str) -> Any | None:
    """Return the user's row when the password is right; TooManyRequests after too many failures.

    The transaction is given up while argon2 computes, so that nobody waits for it, and the row is read again.
    """
    throttle = _throttle(ctx)
    throttle.refuse(login, address)  # before the memory too: it would answer guesses without a limit
    row = queries.by_login(ctx, login)
    usable = row is not None and row.is_active and not row.is_deleted and row.password_hash
    key = passwords.remember_key(login, password, row.password_hash, row.version) if usable and row else b""
    if key and passwords.remembered(key):
        return row
    with ctx.released():
        right = passwords.verify(row.password_hash if usable and row else None, password)
    if not right or row is None:
        throttle.failed(login, address)
        return None
    again = queries.BY_ID.first(ctx, user_id=row.user_id)
    if again is None or again.version != row.version or again.password_hash != row.password_hash:
        return None
    passwords.remember(key)
    return again


class Throttle:
    """Counts wrong passwords of a login and address; memory of this process, or Redis when configured."""

    def __init__(self, allowed: int, redis_url: str | None) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import storage_from_string
        from limits.strategies import MovingWindowRateLimiter

        self.item = RateLimitItemPerMinute(allowed, 10)
        self.limiter = MovingWindowRateLimiter(storage_from_string(redis_url or "memory://"))

    def refuse(self, login: str, address: str) -> None:
        """Raise TooManyRequests when the window is full."""
        if not self.limiter.test(self.item, login.lower(), address):
            reset, _ = self.limiter.get_window_stats(self.item, login.lower(), address)
            raise TooManyRequests(
                "too many wrong passwords", headers=[("retry-after", str(max(1, int(reset - time.time()))))]
            )

    def failed(self, login: str, address: str) -> None:
        """Count a failure."""
        self.limiter.hit(self.item, login.lower(), address)


def _throttle(ctx: Context) -> Throttle:
    allowed, url = ctx.config[AccountsConfig].failures_allowed, ctx.config[RedisConfig].url
    return ctx.kernel.memo("accounts.throttle", lambda: Throttle(allowed, url))
