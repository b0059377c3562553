"""Routes of accounts."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import CrossSiteRequest, TooManyRequests, Unauthenticated
from atrio.kernel.http.guards import PUBLIC, SIGNED_IN
from atrio.kernel.http.response import Response, redirect
from atrio.kernel.http.route import EMPTY, Answer, Call, Route

from . import authentication, queries, schemas, services
from .api import ADMINISTRATOR, CANDIDATE, OWN_OR_ADMINISTRATOR
from .errors import (
    AuthenticationFailed,
    EmailAlreadyExists,
    EmailOrUsernameRequired,
    EmailRequired,
    ReservedUsername,
    UsernameAlreadyExists,
    UserNotFound,
)
from .passwords import hash_password

ONE = Answer(schemas.user, doc="The user.")


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


def load_user(ctx: Context, user_id: int) -> Any:
    """Return the row of a user that was just written."""
    return queries.BY_ID.first(ctx, user_id=user_id)


def logout(ctx: Context, call: Call) -> None:
    """End the session; a stranger's logout is no error."""
    token = authentication.token_of(call.http)
    if token is not None:
        services.close_session(ctx, token)
    ctx.cancel_later()  # a renewal that the authenticator asked for
    ctx.answer_headers[:] = [h for h in ctx.answer_headers if h[0] != "set-cookie"]
    ctx.answer_headers.append(("set-cookie", authentication.cookie(ctx, "")))


def whoami(ctx: Context, call: Call) -> Any:
    """Return the caller."""
    if ctx.actor.data is None:
        raise Unauthenticated
    return ctx.actor.data


def list_users(ctx: Context, call: Call) -> Any:
    """Return every account that is not deleted, by name."""
    return queries.ALL.all(ctx, deleted=0)


def get_user(ctx: Context, call: Call) -> Any:
    """Return one user."""
    return ctx.resources["user"]


def create_user(ctx: Context, call: Call) -> int:
    """Create an account; the password is hashed before anything is locked."""
    body = call.body
    name, email = body["email"] if body["email"] else ("", None)
    hashed = None
    if body["password"]:
        with ctx.released():
            hashed = hash_password(body["password"])
    return services.create_user(
        ctx, email=email, username=body["username"], password_hash=hashed, profile=body["profile"],
        public_name=body["public_name"] or name or None, timezone=body["timezone"], lang=body["lang"],
        allowed_space=body["allowed_space"],
    )  # fmt: skip


def me(ctx: Context, call: Call) -> Response:
    """Redirect `/users/me…` to the caller's own path, with method, body and query."""
    rest = call.http.path.partition("/users/me")[2]
    from urllib.parse import quote

    target = f"{call.http.root_path}/api/users/{ctx.actor.id}{quote(rest)}"
    query = call.http.query_string.decode("latin-1")
    return redirect(f"{target}?{query}" if query else target)


ACCOUNT_ERRORS = (
    EmailAlreadyExists, UsernameAlreadyExists, ReservedUsername, EmailRequired, EmailOrUsernameRequired
)  # fmt: skip
REDIRECT = Answer(shape="redirect", status=307, doc="To the path with the caller's id.")

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
        "GET", "/api/users", list_users, (ADMINISTRATOR,), Answer(schemas.user, "list"),
        summary="All users", group="Users",
    ),
    Route(
        "POST", "/api/users", create_user, (ADMINISTRATOR,), ONE, body=schemas.UserCreationSchema,
        after=load_user, errors=ACCOUNT_ERRORS, summary="Create a user", group="Users",
    ),
    Route(
        "GET", "/api/users/{user_id:int}", get_user, (OWN_OR_ADMINISTRATOR, CANDIDATE), ONE,
        errors=(UserNotFound,), summary="One user", group="Users",
    ),
    Route("GET", "/api/users/me", me, (SIGNED_IN,), REDIRECT, summary="Own path", group="Users"),
    Route(
        "PUT", "/api/users/me", me, (SIGNED_IN,), REDIRECT, writes=False, summary="Own path", group="Users"
    ),
    Route(
        "GET", "/api/users/me/{rest:rest}", me, (SIGNED_IN,), REDIRECT, summary="Own path", group="Users"
    ),
    Route(
        "PUT", "/api/users/me/{rest:rest}", me, (SIGNED_IN,), REDIRECT, writes=False, summary="Own path",
        group="Users",
    ),
)  # fmt: skip
