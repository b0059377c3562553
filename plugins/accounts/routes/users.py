"""Accounts: all of them, one, a new one, and every change to one."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError, TooManyRequests
from atrio.kernel.http.guards import PUBLIC, SIGNED_IN
from atrio.kernel.http.response import Response, redirect
from atrio.kernel.http.route import EMPTY, Answer, Call, Route

from .. import authentication, queries, schemas, services
from ..api import ADMINISTRATOR, CANDIDATE
from ..config import AccountsConfig, read_only_fields
from ..errors import (
    EmailAlreadyExists,
    EmailOrUsernameRequired,
    EmailRequired,
    ExternalEmail,
    ExternalPassword,
    PasswordsDoNotMatch,
    ReadOnlyField,
    ReservedUsername,
    SelfRegistrationDisabled,
    UserCannotChangeOwnProfile,
    UserCannotDeleteHimself,
    UserCannotDisableHimself,
    UsernameAlreadyExists,
    WrongUserPassword,
)
from ..passwords import hash_password
from .shared import ONE, PERSONAL, U, load_user


def list_users(ctx: Context, call: Call) -> Any:
    """Return every account that is not deleted, by name."""
    return queries.ALL.all(ctx, deleted=0)


def get_user(ctx: Context, call: Call) -> Any:
    """Return one user."""
    return ctx.resources["user"]


def create_user(ctx: Context, call: Call) -> int:
    """Create an account for somebody."""
    return _create(ctx, call.body, profile=call.body["profile"], allowed_space=call.body["allowed_space"])


def register(ctx: Context, call: Call) -> int:
    """Create an account for oneself, where the instance lets strangers do so; an address has ten tries."""
    if not ctx.config[AccountsConfig].self_registration:
        raise SelfRegistrationDisabled
    throttle = authentication.throttle_of(ctx)
    throttle.refuse("\x00register", call.http.client)
    throttle.failed("\x00register", call.http.client)
    return _create(ctx, call.body, creation_type="register")


def _create(ctx: Context, body: dict[str, Any], **values: Any) -> int:
    """Create an account; the password is hashed before anything is locked."""
    name, email = body["email"] if body["email"] else ("", None)
    hashed = None
    if body["password"]:
        with ctx.released():
            hashed = hash_password(body["password"])
    return services.create_user(
        ctx, email=email, username=body["username"], password_hash=hashed,
        public_name=body["public_name"] or name or None, timezone=body["timezone"], lang=body["lang"],
        notify=body["email_notification"], **values,
    )  # fmt: skip


# -- changes by the user himself -------------------------------------------------------------------------------


def set_info(ctx: Context, call: Call) -> int:
    """Change time zone, language and name; a name that is kept elsewhere stays without a word."""
    user = ctx.resources["user"]
    values = dict(call.body)
    if "public_name" in read_only_fields(ctx.config[AccountsConfig], user.auth_type):
        values.pop("public_name", None)
    services.update_user(ctx, user.user_id, **values)
    return int(user.user_id)


def set_email(ctx: Context, call: Call) -> int:
    """Change the address; asks for the caller's own password."""
    user = ctx.resources["user"]
    services.refuse_read_only(ctx, user, "email")
    services.refuse_external_email(user)
    authentication.check_own_password(ctx, call.body["loggedin_user_password"], call.http.client)
    services.update_user(ctx, user.user_id, email=call.body["email"])
    return int(user.user_id)


def set_username(ctx: Context, call: Call) -> int:
    """Change the username; asks for the caller's own password."""
    user = ctx.resources["user"]
    services.refuse_read_only(ctx, user, "username")
    authentication.check_own_password(ctx, call.body["loggedin_user_password"], call.http.client)
    services.update_user(ctx, user.user_id, username=call.body["username"])
    return int(user.user_id)


def set_password(ctx: Context, call: Call) -> None:
    """Change the password: every session of the account ends, but the caller's own gets a new cookie."""
    user = ctx.resources["user"]
    body = call.body
    services.refuse_read_only(ctx, user, "password")
    services.refuse_external_password(user)
    if body["new_password"] != body["new_password2"]:
        raise PasswordsDoNotMatch
    authentication.check_own_password(ctx, body["loggedin_user_password"], call.http.client)
    with ctx.released():
        hashed = hash_password(body["new_password"])
    services.set_password(ctx, user.user_id, hashed)
    if ctx.actor.via == "session" and ctx.actor.id == user.user_id:
        authentication.renew_cookie(ctx, services.open_session(ctx, user.user_id))


# -- changes by administrators ---------------------------------------------------------------------------------


def set_profile(ctx: Context, call: Call) -> None:
    """Change the rights of somebody else."""
    services.update_user(
        ctx, _other(ctx, UserCannotChangeOwnProfile), profile=services.LEVELS[call.body["profile"]]
    )


def set_allowed_space(ctx: Context, call: Call) -> None:
    """Change how many bytes a user may own."""
    wanted = call.body["allowed_space"]
    if wanted is None:
        wanted = ctx.config[AccountsConfig].default_allowed_space
    services.update_user(ctx, ctx.resources["user"].user_id, allowed_space=wanted)


def enable(ctx: Context, call: Call) -> None:
    """Let an account sign in again."""
    services.set_enabled(ctx, ctx.resources["user"].user_id, True)


def disable(ctx: Context, call: Call) -> None:
    """Stop an account; its sessions and tokens end at once."""
    services.set_enabled(ctx, _other(ctx, UserCannotDisableHimself), False)


def trash(ctx: Context, call: Call) -> None:
    """Delete an account; what it wrote stays, and it can be restored."""
    services.set_trashed(ctx, _other(ctx, UserCannotDeleteHimself), True)


def restore(ctx: Context, call: Call) -> None:
    """Bring a deleted account back."""
    services.set_trashed(ctx, ctx.resources["user"].user_id, False)


def _other(ctx: Context, error: type[KernelError]) -> int:
    """Return the user of the path, unless it is the caller."""
    user_id = int(ctx.resources["user"].user_id)
    if user_id == ctx.actor.id:
        raise error
    return user_id


def me(ctx: Context, call: Call) -> Response:
    """Redirect `/users/me…` to the caller's own path, with method, body and query."""
    rest = call.http.path.partition("/users/me")[2]
    from urllib.parse import quote

    target = f"{call.http.root_path}/api/users/{ctx.actor.id}{quote(rest)}"
    query = call.http.query_string.decode("latin-1")
    return redirect(f"{target}?{query}" if query else target)


LOGIN_ERRORS = (EmailAlreadyExists, UsernameAlreadyExists, ReservedUsername)
ACCOUNT_ERRORS = (*LOGIN_ERRORS, EmailRequired, EmailOrUsernameRequired)
OWN_PASSWORD = (WrongUserPassword, ReadOnlyField, TooManyRequests)
REDIRECT = Answer(shape="redirect", status=307, doc="To the path with the caller's id.")
ADMINISTERED = (ADMINISTRATOR, CANDIDATE)
SWITCH, TRASH = "Users > Enable & Disable", "Users > Trash & Restore"

ROUTES = (
    Route(
        "GET", "/api/users", list_users, (ADMINISTRATOR,), Answer(schemas.user, "list"),
        summary="All users", group="Users",
    ),
    Route(
        "POST", "/api/users", create_user, (ADMINISTRATOR,), ONE, body=schemas.UserCreationSchema,
        after=load_user, errors=ACCOUNT_ERRORS, summary="Create a user", group="Users",
    ),
    Route(
        "POST", "/api/users/register", register, (PUBLIC,), ONE, body=schemas.UserCreationSchema,
        after=load_user, errors=(*ACCOUNT_ERRORS, SelfRegistrationDisabled, TooManyRequests),
        summary="Create an own account", group="Users",
    ),
    Route("GET", U, get_user, PERSONAL, ONE, summary="One user", group="Users"),
    Route(
        "PUT", U, set_info, PERSONAL, ONE, body=schemas.UserInfoSchema, after=load_user,
        summary="Change time zone, language, name", group="Users",
    ),
    Route(
        "PUT", f"{U}/email", set_email, PERSONAL, ONE, body=schemas.UserEmailSchema, after=load_user,
        errors=(*OWN_PASSWORD, ExternalEmail, EmailAlreadyExists), summary="Change the address",
        group="Users",
    ),
    Route(
        "PUT", f"{U}/username", set_username, PERSONAL, ONE, body=schemas.UserUsernameSchema, after=load_user,
        errors=(*OWN_PASSWORD, ReservedUsername, UsernameAlreadyExists), summary="Change the username",
        group="Users",
    ),
    Route(
        "PUT", f"{U}/password", set_password, PERSONAL, EMPTY, body=schemas.UserPasswordSchema,
        errors=(*OWN_PASSWORD, ExternalPassword, PasswordsDoNotMatch), summary="Change the password",
        group="Users",
    ),
    Route(
        "PUT", f"{U}/profile", set_profile, ADMINISTERED, EMPTY, body=schemas.UserProfileSchema,
        errors=(UserCannotChangeOwnProfile,), summary="Change the profile", group="Users",
    ),
    Route(
        "PUT", f"{U}/allowed_space", set_allowed_space, ADMINISTERED, EMPTY,
        body=schemas.UserAllowedSpaceSchema, summary="Change the allowed space", group="Users",
    ),
    Route("PUT", f"{U}/enabled", enable, ADMINISTERED, EMPTY, summary="Enable an account", group=SWITCH),
    Route(
        "PUT", f"{U}/disabled", disable, ADMINISTERED, EMPTY, errors=(UserCannotDisableHimself,),
        summary="Disable an account", group=SWITCH,
    ),
    Route(
        "PUT", f"{U}/trashed", trash, ADMINISTERED, EMPTY, errors=(UserCannotDeleteHimself,),
        summary="Delete an account", group=TRASH,
    ),
    Route(
        "PUT", f"{U}/trashed/restore", restore, ADMINISTERED, EMPTY, summary="Restore an account", group=TRASH
    ),
    Route("GET", "/api/users/me", me, (SIGNED_IN,), REDIRECT, summary="Own path", group="Account"),
    Route(
        "PUT", "/api/users/me", me, (SIGNED_IN,), REDIRECT, writes=False, summary="Own path", group="Account"
    ),
    Route(
        "GET", "/api/users/me/{rest:rest}", me, (SIGNED_IN,), REDIRECT, summary="Own path", group="Account"
    ),
    Route(
        "PUT", "/api/users/me/{rest:rest}", me, (SIGNED_IN,), REDIRECT, writes=False, summary="Own path",
        group="Account",
    ),
)  # fmt: skip
