"""Routes of live: inbox and stream of a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow

from atrio.kernel.context import Context
from atrio.kernel.db.statement import row_type
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.response import StreamResponse
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR

from . import queries, schemas, services
from .errors import MessageDoesNotExist
from .hub import hub_of
from .kinds import span
from .telling import tellers_of

GROUP = "Users > Event & Messages"
GUARDS = (OWN_OR_ADMINISTRATOR, CANDIDATE)
MESSAGES = "/api/users/{user_id:int}/messages"
SUMMARY = row_type(
    "SummaryRow",
    (
        "messages_count", "read_messages_count", "unread_messages_count", "user_id",
        *(f"user__{name}" for name in ("user_id", "public_name", "username", "has_cover", "is_active")),
    ),
)  # fmt: skip
READ = {"all": None, "read": True, "unread": False}
HEADERS = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]


def _user(ctx: Context) -> int:
    return int(ctx.resources["user"].user_id)


def _filter(ctx: Context, query: dict[str, Any]) -> queries.Filter:
    entities = tellers_of(ctx.kernel).entities

    def spans(name: str) -> list[tuple[int, int]]:
        try:
            return [span(pattern, entities) for pattern in query[name]]
        except marshmallow.ValidationError as error:
            raise ValidationFailed({name: error.messages}) from None

    return queries.Filter(
        include=spans("include_event_types"), exclude=spans("exclude_event_types"),
        not_by=query["exclude_author_ids"], of_spaces=query["workspace_ids"],
        about=query["related_to_content_ids"], with_history=bool(query["include_not_sent"]),
        read=READ[query.get("read_status", "all")],
    )  # fmt: skip


def list_messages(ctx: Context, call: Call) -> Any:
    """Return the messages of a user, newest first."""
    count = call.query["count"]
    bookmark = read_token(call.query["page_token"], int)
    rows = queries.inbox(ctx, _user(ctx), _filter(ctx, call.query), count, bookmark)
    return page(rows, count, bookmark, lambda r: (r.event_id, r.event_id))


def summary(ctx: Context, call: Call) -> Any:
    """Return how many messages a user has, and how many of them are read."""
    user = ctx.resources["user"]
    total, read = queries.counts(ctx, user.user_id, _filter(ctx, call.query))
    digest = (user.user_id, user.public_name, user.username, user.has_cover, user.is_active)
    return SUMMARY(total, read, total - read, user.user_id, *digest)


def _marker(*, read: bool) -> Callable[[Context, Call], None]:
    def mark(ctx: Context, call: Call) -> None:
        """Mark the messages that the query names; all without one."""
        services.mark_all(ctx, _user(ctx), call.query, read=read)

    return mark


def _single_marker(*, read: bool) -> Callable[[Context, Call], None]:
    def mark(ctx: Context, call: Call) -> None:
        """Mark one message."""
        services.mark_one(ctx, _user(ctx), int(call.path["event_id"]), read=read)

    return mark


def stream(ctx: Context, call: Call) -> StreamResponse:
    """Open the stream of a user: what he gets from now on, and what he missed after an event id.

    `Last-Event-ID`, which browsers send when they reconnect, counts like `after_event_id`; of both the larger.
    """
    request = call.http
    if "accept" not in request.headers:
        raise ValidationFailed({"Accept": ["Missing data for required field."]})
    after = max(0, call.query["after_event_id"])
    last = request.headers.get("last-event-id", "").strip()
    if last.isascii() and last.isdigit() and len(last) <= 18:
        after = max(after, int(last))
    user_id, actor_id = _user(ctx), ctx.actor.id
    hub = hub_of(ctx.kernel)
    return StreamResponse(
        200, headers=list(HEADERS), media="text/event-stream",
        chunks=lambda: hub.frames(user_id, actor_id, after), stall_seconds=hub.settings.stall_seconds,
    )  # fmt: skip


STREAM = Answer(
    shape="any", media="text/event-stream",
    doc="Server-sent events: `stream-open` first, then a `message` with its id for each message, `keep-alive` in "
    "between; `stream-error` and the end when there is no room.",
)  # fmt: skip
ROUTES = (
    Route(
        "GET", "/api/users/{user_id:int}/live_messages", stream, GUARDS, STREAM, query=schemas.StreamQuerySchema,
        errors=(ValidationFailed,), summary="Live messages of a user", group=GROUP,
    ),
    Route(
        "GET", MESSAGES, list_messages, GUARDS, Answer(schemas.message, "page", doc="A page of messages."),
        query=schemas.MessageQuerySchema, summary="Messages of a user", group=GROUP,
    ),
    Route(
        "GET", f"{MESSAGES}/summary", summary, GUARDS, Answer(schemas.summary, doc="The numbers."),
        query=schemas.SummaryQuerySchema, summary="How many messages a user has", group=GROUP,
    ),
    *(
        Route(
            "PUT", f"{MESSAGES}/{word}", _marker(read=word == "read"), GUARDS, EMPTY,
            query=schemas.MarkQuerySchema, summary=f"Mark messages as {word}", group=GROUP,
        )
        for word in ("read", "unread")
    ),
    *(
        Route(
            "PUT", f"{MESSAGES}/{{event_id:int}}/{word}", _single_marker(read=word == "read"), GUARDS, EMPTY,
            errors=(MessageDoesNotExist,), summary=f"Mark one message as {word}", group=GROUP,
        )
        for word in ("read", "unread")
    ),
)  # fmt: skip
