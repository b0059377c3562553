"""How a request becomes an actor (spec: auth, §1).

In this order: the name that a trusted proxy gives, session cookie, access token of the query, API key, Basic.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from contextlib import suppress
from email.utils import formatdate
from typing import Any

from atrio.kernel.config import RedisConfig
from atrio.kernel.context import Actor, Context
from atrio.kernel.errors import CrossSiteRequest, KernelError, TooManyRequests, ValidationFailed
from atrio.kernel.http.request import Request
from atrio.kernel.http.route import SAFE_METHODS
from atrio.kernel.jobs import SECOND

from . import passwords, queries, services
from .config import AccountsConfig
from .errors import WrongUserPassword

log = logging.getLogger("atrio.accounts")

COOKIE = "session_key"


def authenticate(request: Request, ctx: Context) -> Actor | None:
    """Return the user of a request, None for a stranger; CrossSiteRequest for a forged cookie request."""
    headers = request.headers
    proxy = ctx.config[AccountsConfig].remote_user_header
    if proxy is not None and headers.get(proxy):
        actor = _by_proxy(headers[proxy], ctx)
        if actor is not None:
            _refuse_foreign(request, ctx)  # the browser is signed in at the proxy, as with a cookie
        return actor
    if "cookie" in headers:
        actor = _by_cookie(request, ctx)
        if actor is not None:
            return actor
    if b"access_token=" in request.query_string:
        actor = _by_access_token(request, ctx)
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


def _refuse_foreign(request: Request, ctx: Context) -> None:
    if request.method not in SAFE_METHODS and not ctx.kernel.app.gate.may_write_with_cookie(request):
        raise CrossSiteRequest


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
    _refuse_foreign(request, ctx)
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


def renew_cookie(ctx: Context, token: str) -> None:
    """Send the cookie of a new session instead of whatever was to be said of the old one."""
    ctx.cancel_later()
    ctx.answer_headers[:] = [h for h in ctx.answer_headers if h[0] != "set-cookie"]
    ctx.answer_headers.append(("set-cookie", cookie(ctx, token)))


# -- access token --------------------------------------------------------------------------------------------


def _by_access_token(request: Request, ctx: Context) -> Actor | None:
    try:
        token = request.query.get("access_token", "")
    except ValidationFailed:
        return None
    if len(token) < 20:
        return None
    row = queries.BY_TOKEN.first(ctx, token_hash=services.token_hash(token), purpose="access", now=ctx.now)
    return _actor(row, "access token")


# -- a trusted proxy -----------------------------------------------------------------------------------------


def _by_proxy(name: str, ctx: Context) -> Actor | None:
    """Sign in whom the proxy names; one who is not known yet gets an account. The header of others is dropped."""
    login = name.strip()
    row = queries.by_login(ctx, login)
    if row is None:
        with ctx.released():
            ctx.kernel.run(lambda own: _newcomer(own, login))
        row = queries.by_login(ctx, login)
    return _actor(row, "proxy")


def _newcomer(ctx: Context, login: str) -> None:
    from marshmallow import ValidationError

    from .schemas import Email, username_field

    try:
        if "@" in login:
            values: dict[str, Any] = {"email": Email().deserialize(login)}
        else:
            values = {"email": None, "username": username_field().deserialize(login)}
    except ValidationError:
        return
    with suppress(KernelError):  # another request was first, or the instance wants an address
        services.create_user(ctx, **values, creation_type="remote", auth_type="remote")


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
    if password.startswith(services.TOKEN_PREFIX):
        return _by_application_token(ctx, login, password, request.client)
    return _actor(check_password(ctx, login, password, request.client), "basic")


def _by_application_token(ctx: Context, login: str, token: str, address: str) -> Actor | None:
    """Sign in a program by its own password, which costs no hashing; guesses are counted like others."""
    throttle = throttle_of(ctx)
    throttle.refuse(login, address)
    row = queries.BY_APPLICATION_TOKEN.first(ctx, token_hash=services.token_hash(token), now=ctx.now)
    if row is None or login.lower() not in {(row.email or "").lower(), (row.username or "").lower()}:
        throttle.failed(login, address)
        return None
    used, token_id = row.application_token_used, row.application_token_id
    if used is None or ctx.now - used > services.USED_SECONDS * SECOND:
        ctx.later(lambda kernel: kernel.run(lambda own: services.note_use(own, token_id)))
    return _actor(row, "application token")


def check_password(ctx: Context, login: str, password: str, address: str) -> Any | None:
    """Return the user's row when the password is right; TooManyRequests after too many failures.

    The transaction is given up while argon2 computes, so that nobody waits for it, and the row is read again.
    """
    if "internal" not in ctx.config[AccountsConfig].auth_types:
        return None
    throttle = throttle_of(ctx)
    throttle.refuse(login, address)  # before the memory too: it would answer guesses without a limit
    row = queries.by_login(ctx, login)
    usable = has_password(row)
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


def has_password(row: Any) -> bool:
    """Tell whether an account may sign in with a password of ours: one of a directory or a proxy may not."""
    return bool(
        row is not None
        and row.is_active
        and not row.is_deleted
        and row.password_hash
        and row.auth_type in ("internal", "unknown")
    )


def check_own_password(ctx: Context, password: str, address: str) -> None:
    """Raise WrongUserPassword (2034) unless this is the caller's own password; guesses are counted."""
    me = ctx.actor.data
    if me is None or check_password(ctx, me.email or me.username, password, address) is None:
        raise WrongUserPassword


class Throttle:
    """Counts wrong passwords of a login and address: in Redis when configured, else in this process.

    While Redis is away each process counts for itself: nobody is locked out, and guesses stay bounded.
    """

    RETRY_SECONDS = 5.0

    def __init__(self, allowed: int, redis_url: str | None) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import MemoryStorage, storage_from_string
        from limits.strategies import MovingWindowRateLimiter

        self.item = RateLimitItemPerMinute(allowed, 10)
        self.own = MovingWindowRateLimiter(MemoryStorage())
        self.shared: Any = None
        self._away_until = 0.0
        if redis_url:
            options: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1}
            storage = storage_from_string(redis_url, wrap_exceptions=True, **options)
            self.shared = MovingWindowRateLimiter(storage)

    def _ask(self, name: str, *arguments: Any) -> Any:
        """Call one method of the shared counter, of our own where there is none or it does not answer."""
        from limits.errors import StorageError

        if self.shared is not None and time.monotonic() >= self._away_until:
            try:
                return getattr(self.shared, name)(*arguments)
            except StorageError as error:
                self._away_until = time.monotonic() + self.RETRY_SECONDS
                log.warning("Redis is away, wrong passwords are counted in this process: %s", error)
        return getattr(self.own, name)(*arguments)

    def refuse(self, login: str, address: str) -> None:
        """Raise TooManyRequests when the window is full."""
        if not self._ask("test", self.item, login.lower(), address):
            reset, _ = self._ask("get_window_stats", self.item, login.lower(), address)
            raise TooManyRequests(
                "too many wrong passwords", headers=[("retry-after", str(max(1, int(reset - time.time()))))]
            )

    def pass_by(self, name: str, who: str, allowed: int) -> bool:
        """Count a call and tell whether it is among the first ones of ten minutes."""
        from limits import RateLimitItemPerMinute

        return bool(self._ask("hit", RateLimitItemPerMinute(allowed, 10), name, who))

    def failed(self, login: str, address: str) -> None:
        """Count a failure."""
        self._ask("hit", self.item, login.lower(), address)


def throttle_of(ctx: Context) -> Throttle:
    """Return the counter of this instance."""
    allowed, url = ctx.config[AccountsConfig].failures_allowed, ctx.config[RedisConfig].url
    return ctx.kernel.part("accounts.throttle", lambda: Throttle(allowed, url))
