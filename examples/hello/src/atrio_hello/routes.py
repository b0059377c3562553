"""Routes of hello: thin handlers between guards, services and schemas."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import TRUSTED_USER, USER, UserNotFound

from . import queries, schemas, services
from .errors import HelloTextTooLong
from .guards import GREETING


def list_own(ctx: Context, call: Call) -> Any:
    """Return the caller's greetings, newest first."""
    return queries.OF_USER.all(ctx, user_id=ctx.actor.id, limit=call.query["count"])


def send(ctx: Context, call: Call) -> int:
    """Send a greeting."""
    return services.send_greeting(ctx, call.body["user_id"], call.body["text"])


def load(ctx: Context, greeting_id: int) -> Any:
    """Return the greeting that was just written."""
    return queries.ONE.first(ctx, greeting_id=greeting_id)


def delete(ctx: Context, call: Call) -> None:
    """Delete the greeting that the guard loaded."""
    services.delete_greeting(ctx, ctx.resources["greeting"].greeting_id)


ROUTES = (
    Route(
        "GET",
        "/api/hello/greetings",
        list_own,
        (USER,),
        Answer(schemas.greeting, "list", doc="Own greetings."),
        query=schemas.HelloGreetingFilterSchema,
        summary="Own greetings, newest first",
        group="Hello",
    ),
    Route(
        "POST",
        "/api/hello/greetings",
        send,
        (TRUSTED_USER,),
        Answer(schemas.greeting, doc="The greeting."),
        body=schemas.HelloGreetingCreationSchema,
        after=load,
        errors=(UserNotFound, HelloTextTooLong),
        summary="Send a greeting",
        group="Hello",
    ),
    Route(
        "DELETE",
        "/api/hello/greetings/{greeting_id:int}",
        delete,
        (USER, GREETING),
        EMPTY,
        summary="Delete an own greeting",
        group="Hello",
    ),
)
