"""Routes of system. Their answers are made once for an instance; none reads the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from atrio.kernel.context import Context
from atrio.kernel.db.base import iso_utc
from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import USER

from . import facts, schemas


def _kept(name: str, collect: Callable[[Kernel], Any]) -> Callable[[Context, Call], Response]:
    """Return the handler that sends what `collect` gives, encoded once."""

    def handler(ctx: Context, call: Call) -> Response:
        body = ctx.kernel.memo(f"system.{name} as sent", lambda: msgspec.json.encode(collect(ctx.kernel)))
        return Response(200, body, [], "application/json")

    return handler


def about(ctx: Context, call: Call) -> Response:
    """Return which server this is, and what time it has."""
    told = {**facts.about(ctx.kernel), "datetime": iso_utc(ctx.now)}
    order = ("name", "version", "build_version", "datetime", "website", "database_schema_version")
    return Response(200, msgspec.json.encode({key: told[key] for key in order}), [], "application/json")


ROUTES = (
    Route(
        "GET", "/api/system/about", about, (USER,), Answer(schemas.about, doc="The server."),
        summary="Which server this is", group="System",
    ),
    Route(
        "GET", "/api/system/config", _kept("config", facts.config), (PUBLIC,),
        Answer(schemas.config, doc="The settings."), summary="What clients must know at start", group="System",
    ),
    Route(
        "GET", "/api/system/error_codes", _kept("error codes", facts.error_codes), (PUBLIC,),
        Answer(schemas.error_code, "list"), summary="Error codes", group="System",
    ),
    Route(
        "GET", "/api/system/applications", _kept("applications list", facts.application_list), (USER,),
        Answer(schemas.application, "list"), summary="Active applications", group="System",
    ),
    Route(
        "GET", "/api/system/content_types", _kept("content types", facts.content_types), (USER,),
        Answer(schemas.content_type, "list"), summary="Content types", group="System",
    ),
    Route(
        "GET", "/api/system/timezones", _kept("timezones", facts.timezones), (USER,),
        Answer(schemas.timezone, "list"), summary="Time zones", group="System",
    ),
    Route(
        "GET", "/api/system/usage_conditions", _kept("usage conditions", facts.usage_conditions), (USER,),
        Answer(schemas.usage_conditions, doc="The documents."), summary="Conditions of use", group="System",
    ),
)  # fmt: skip
