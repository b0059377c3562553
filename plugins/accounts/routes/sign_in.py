"""Signing in and out, and a forgotten password."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import CrossSiteRequest, TooManyRequests, Unauthenticated
from atrio.kernel.http.guards import PUBLIC, SIGNED_IN
from atrio.kernel.http.route import EMPTY, Call, Route

from .. import authentication, queries, schemas, services
from ..config import AccountsConfig
from ..errors import (
    AuthenticationFailed,
    AuthTypeDisabled,
    ExpiredResetToken,
    ExternalPassword,
    InvalidResetToken,
    PasswordsDoNotMatch,
    UserNotFound,
)
from ..passwords import hash_password
from .shared import ONE, load_user

RESET_REQUESTS = 5
"""Requests for a new password of one account in ten minutes; more are answered alike and do nothing."""


def login(ctx: Context, call: Call) -> Any:
    """Check the password, open a session, set the cookie."""
    row = None
    logins = [value for value in (call.body["email"], call.body["username"]) if value]
    for name in logins:
        row = row or authentication.check_password(ctx, name, call.body["password"], call.http.client)
    if row is None:
        raise AuthenticationFailed
    services.bind_authentication(ctx, row, "internal")
    services.purge_sessions(ctx)
    token = services.open_session(ctx, row.user_id)
    ctx.answer_headers.append(("set-cookie", authentication.cookie(ctx, token)))
    return row.user_id


def logout(ctx: Context, call: Call) -> None:
    """End the session; a stranger's logout is no error."""
    token = authentication.token_of(call.http)
    if token is not None:
        services.close_session(ctx, token)
    authentication.renew_cookie(ctx, "")


def whoami(ctx: Context, call: Call) -> Any:
    """Return the caller."""
    if ctx.actor.data is None:
        raise Unauthenticated
    return ctx.actor.data


# -- a forgotten password --------------------------------------------------------------------------------------


def request_reset(ctx: Context, call: Call) -> None:
    """Ask for a link to set a password; the answer is the same whether there is such an account or not."""
    row = next(
        (r for name in (call.body["email"], call.body["username"]) if name and (r := queries.by_login(ctx, name))),
        None,
    )
    if row is None or not row.is_active or row.is_deleted or not row.email:
        return
    if authentication.throttle_of(ctx).pass_by("\x00reset", str(row.user_id), RESET_REQUESTS):
        services.request_password_reset(ctx, row)


def check_reset(ctx: Context, call: Call) -> None:
    """Tell whether a token can set a password."""
    _resettable(ctx, call)


def reset_password(ctx: Context, call: Call) -> None:
    """Set a password with a token, once; every session of the account ends."""
    user_id = _resettable(ctx, call)
    body = call.body
    if body["new_password"] != body["new_password2"]:
        raise PasswordsDoNotMatch
    with ctx.released():
        hashed = hash_password(body["new_password"])
    services.use_reset_token(ctx, user_id, body["reset_password_token"], hashed)


def _resettable(ctx: Context, call: Call) -> int:
    """Return the user whose password the token of the body may set."""
    row = queries.by_login(ctx, call.body["email"])
    if row is None or row.is_deleted or not row.is_active:
        raise UserNotFound
    services.refuse_external_password(row)
    if row.auth_type not in ("unknown", *ctx.config[AccountsConfig].auth_types):
        raise AuthTypeDisabled
    hashed = services.token_hash(call.body["reset_password_token"])
    token = queries.TOKEN.first(ctx, token_hash=hashed, purpose="reset")
    if token is None or token.user_id != row.user_id:
        raise InvalidResetToken
    if token.expires <= ctx.now:
        raise ExpiredResetToken
    return int(row.user_id)


RESET_ERRORS = (UserNotFound, ExternalPassword, AuthTypeDisabled, InvalidResetToken, ExpiredResetToken)
RESET = "/api/auth/password/reset"
RESETS = "Authentication > Reset Password"

ROUTES = (
    Route(
        "POST", "/api/auth/login", login, (PUBLIC,), ONE, body=schemas.LoginSchema, after=load_user,
        errors=(AuthenticationFailed, TooManyRequests), summary="Sign in", group="Authentication",
    ),
    Route(
        "POST", "/api/auth/logout", logout, (PUBLIC,), EMPTY, summary="Sign out", group="Authentication",
        errors=(CrossSiteRequest,),
    ),
    Route(
        "GET", "/api/auth/logout", logout, (PUBLIC,), EMPTY, writes=True, summary="Sign out",
        group="Authentication",
    ),
    Route(
        "GET", "/api/auth/whoami", whoami, (SIGNED_IN,), ONE, summary="Who am I", group="Authentication"
    ),
    Route(
        "POST", f"{RESET}/request", request_reset, (PUBLIC,), EMPTY, body=schemas.PasswordResetRequestSchema,
        summary="Ask for a new password", group=RESETS,
    ),
    Route(
        "POST", f"{RESET}/token/check", check_reset, (PUBLIC,), EMPTY, body=schemas.PasswordResetCheckSchema,
        writes=False, errors=RESET_ERRORS, summary="Check a token for a new password", group=RESETS,
    ),
    Route(
        "POST", f"{RESET}/modify", reset_password, (PUBLIC,), EMPTY, body=schemas.PasswordResetSchema,
        errors=(*RESET_ERRORS, PasswordsDoNotMatch), summary="Set a new password with a token", group=RESETS,
    ),
)  # fmt: skip
