"""Application tokens of a user."""

from __future__ import annotations

from typing import Any, NamedTuple

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route

from .. import authentication, queries, schemas, services
from ..api import CANDIDATE, OWN, InsufficientUserProfile
from ..errors import ApplicationTokenNotFound, TooManyTokens, WrongUserPassword
from .shared import PERSONAL, U

GROUP = "Application tokens"


class MadeToken(NamedTuple):
    """A new token, as it is told once."""

    token_id: int
    label: str
    login: str
    token: str


def list_tokens(ctx: Context, call: Call) -> Any:
    """Return a user's tokens, without what they are."""
    return queries.APPLICATION_TOKENS.all(ctx, user_id=ctx.resources["user"].user_id)


def create_token(ctx: Context, call: Call) -> Any:
    """Make a token for a program of one's own; its text is told this once.

    Who has a password here says it again; a token makes no other token.
    """
    user = ctx.resources["user"]
    if ctx.actor.via == "application token":
        raise InsufficientUserProfile
    if authentication.has_password(user):
        authentication.check_own_password(ctx, call.body["loggedin_user_password"], call.http.client)
    label = call.body["label"]
    token_id, token = services.create_application_token(ctx, user.user_id, label, call.body["days"])
    login = user.email or user.username
    return MadeToken(token_id, label, login, token)


def revoke_token(ctx: Context, call: Call) -> None:
    """End a token: the program that has it is out with its next request."""
    if not services.revoke_application_token(ctx, ctx.resources["user"].user_id, int(call.path["token_id"])):
        raise ApplicationTokenNotFound


ROUTES = (
    Route(
        "GET", f"{U}/application_tokens", list_tokens, PERSONAL, Answer(schemas.application_token, "list"),
        summary="Application tokens of a user", group=GROUP,
    ),
    Route(
        "POST", f"{U}/application_tokens", create_token, (OWN, CANDIDATE), Answer(schemas.new_application_token),
        body=schemas.NewApplicationTokenSchema, errors=(InsufficientUserProfile, WrongUserPassword, TooManyTokens),
        summary="Make an application token", group=GROUP,
    ),
    Route(
        "DELETE", f"{U}/application_tokens/{{token_id:int}}", revoke_token, PERSONAL, EMPTY,
        errors=(ApplicationTokenNotFound,), summary="End an application token", group=GROUP,
    ),
)  # fmt: skip
