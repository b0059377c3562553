"""Routes of caldav: the addresses of calendars, feeds, files in and out."""

from __future__ import annotations

from typing import Any, NamedTuple

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR, USER

from . import agendas, discovery, schemas

GROUP = "Agenda"


class PreFilled(NamedTuple):
    """What a new event begins with."""

    description: str | None


def list_agendas(ctx: Context, call: Call) -> list[Any]:
    """Return the addresses of a user's calendars: his own, then those of his spaces by label."""
    wanted = agendas.Wanted.of(
        call.query["workspace_ids"] or (), call.query["agenda_types"], call.query["resource_types"]
    )
    return agendas.addresses(ctx, int(ctx.resources["user"].user_id), f"{base_url(ctx.config)}/dav", wanted)


def pre_filled(ctx: Context, call: Call) -> PreFilled:
    """Return what the description of a new event begins with; null where nothing is set."""
    return PreFilled(agendas.pre_filled_text(ctx))


ROUTES = (
    Route(
        "GET", "/api/users/{user_id:int}/agenda", list_agendas, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.agenda, "list", doc="The addresses."), query=schemas.AgendaFilterQuerySchema,
        summary="Addresses of a user's calendars", group="Users > Agenda",
    ),
    Route(
        "GET", "/api/system/pre-filled-agenda-event", pre_filled, (USER,),
        Answer(schemas.pre_filled, doc="The text."), summary="What a new event begins with", group=GROUP,
    ),
    *discovery.ROUTES,
)  # fmt: skip
