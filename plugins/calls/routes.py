"""Routes of calls: those a user made, and those he received."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from atrio.kernel.context import Context
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR, UserNotFound

from . import queries, schemas, services
from .errors import UserCallNotFound, UserCallTransitionNotAllowed
from .states import BY_CALLEE, BY_CALLER

GROUP = "User Calls"
GUARDS = (OWN_OR_ADMINISTRATOR, CANDIDATE)
ONE = Answer(schemas.call, doc="The call.")


class Calls(NamedTuple):
    """A list of calls, ready for the wire."""

    items: list[Any]


def _user(ctx: Context) -> int:
    return int(ctx.resources["user"].user_id)


def create(ctx: Context, call: Call) -> int:
    """Call a user; calling oneself is allowed, to try it out."""
    return services.call_user(ctx, _user(ctx), call.body["callee_id"])


def _loader(side: queries.Side) -> Guard:
    """Return the guard that loads the call of the path, of this side of the user."""

    def check(ctx: Context, call: Call) -> None:
        text = call.path.get("call_id", "")
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise ValidationFailed({"call_id": ["Not a valid integer."]})
        row = side.one.first(ctx, user_id=_user(ctx), call_id=int(text))
        if row is None:
            raise UserCallNotFound
        ctx.resources["call"] = row

    return Guard("call", check, (ValidationFailed, UserCallNotFound))


def get(ctx: Context, call: Call) -> Any:
    """Return the call that the guard loaded."""
    return queries.view(ctx, ctx.resources["call"])


def _lister(side: queries.Side) -> Callable[[Context, Call], Calls]:
    def list_calls(ctx: Context, call: Call) -> Calls:
        """Return the calls, oldest first, of one state when asked."""
        state = call.query["state"]
        user_id = _user(ctx)
        rows = (
            side.of_state.all(ctx, user_id=user_id, state=state) if state else side.all.all(ctx, user_id=user_id)
        )
        return Calls(schemas.call.build_all([queries.view(ctx, row) for row in rows]))

    return list_calls


def _setter(allowed: frozenset[str]) -> Callable[[Context, Call], int]:
    def set_state(ctx: Context, call: Call) -> int:
        """Answer, turn down or give up a call that is in progress."""
        return services.set_state(ctx, ctx.resources["call"], call.body["state"], allowed)

    return set_state


def _after(side: queries.Side) -> Callable[[Context, int], Any]:
    def load(ctx: Context, call_id: int) -> Any:
        """Return a call that was just written."""
        return queries.view(ctx, side.one.first(ctx, user_id=_user(ctx), call_id=call_id))

    return load


def _side(name: str, side: queries.Side, allowed: frozenset[str]) -> tuple[Route, ...]:
    """Return the routes that both sides have."""
    path = f"/api/users/{{user_id:int}}/{name}_calls"
    one = (*GUARDS, _loader(side))
    return (
        Route(
            "GET", path, _lister(side), GUARDS, Answer(schemas.calls, doc="The calls, oldest first."),
            query=schemas.GetUserCallsQuerySchema, summary=f"A user's {name} calls", group=GROUP,
        ),
        Route("GET", f"{path}/{{call_id}}", get, one, ONE, summary=f"One {name} call", group=GROUP),
        Route(
            "PUT", f"{path}/{{call_id}}/state", _setter(allowed), one, ONE,
            body=schemas.UpdateUserCallStateSchema, after=_after(side), errors=(UserCallTransitionNotAllowed,),
            summary=f"Change the state of an {name} call", group=GROUP,
        ),
    )  # fmt: skip


ROUTES = (
    Route(
        "POST", "/api/users/{user_id:int}/outgoing_calls", create, GUARDS, ONE,
        body=schemas.CreateUserCallSchema, after=_after(queries.OUTGOING), errors=(UserNotFound,),
        summary="Call a user", group=GROUP,
    ),
    *_side("outgoing", queries.OUTGOING, BY_CALLER),
    *_side("incoming", queries.INCOMING, BY_CALLEE),
)  # fmt: skip
