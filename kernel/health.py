"""Liveness and readiness."""

from __future__ import annotations

import logging
from typing import Any

from . import jobs
from .context import Context
from .http.guards import PUBLIC
from .http.response import Response, json_response
from .http.route import Answer, Call, Route
from .plugins import State

log = logging.getLogger("atrio.health")


def live(ctx: Context, call: Call) -> Response:
    """Answer that the process runs; touches nothing."""
    return json_response({"status": "ok"})


def ready(ctx: Context, call: Call) -> Response:
    """Answer whether requests can be served: database, jobs, plugins with their states."""
    kernel = ctx.kernel
    facts: dict[str, Any] = {"status": "ok"}
    try:
        facts["jobs"] = jobs.backlog(ctx)
        facts["database"] = "ok"
    except Exception:
        log.exception("the database does not answer")
        facts["database"] = "unreachable"
        facts["status"] = "unavailable"
    if kernel.closing.is_set():
        facts["status"] = "stopping"
    plugins: dict[str, Any] = {}
    for record in kernel.records:
        entry: dict[str, Any] = {"state": str(record.state)}
        if record.state not in (State.ENABLED, State.DISABLED):
            entry["reason"] = record.reason
        if record.faults:
            entry["faults"] = record.faults
        plugins[record.name] = entry
    facts["plugins"] = plugins
    return json_response(facts, 200 if facts["status"] == "ok" else 503)


ROUTES = (
    Route(
        "GET", "/health/live", live, (PUBLIC,), Answer(shape="any", doc="The process runs."),
        summary="Liveness", group="Health",
    ),
    Route(
        "GET", "/health/ready", ready, (PUBLIC,),
        Answer(shape="any", doc="The server can take requests.", also=((503, "It cannot; the body says why."),)),
        summary="Readiness", group="Health",
    ),
)  # fmt: skip
