"""Liveness and readiness."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from . import jobs
from .context import Context
from .http.guards import PUBLIC
from .http.response import Response, json_response
from .http.route import Answer, Call, Route
from .plugins import State

if TYPE_CHECKING:
    from .host import Kernel
    from .plugins import PluginRecord

log = logging.getLogger("atrio.health")


def live(ctx: Context, call: Call) -> Response:
    """Answer that the process runs; touches nothing."""
    return json_response({"status": "ok"})


def ready(ctx: Context, call: Call) -> Response:
    """Answer whether requests can be served: database, jobs, store of files, plugins with their states."""
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
    with ctx.released():  # a plugin may look into the database for its facts
        if kernel.blobs.remote:
            facts["blobs"] = _blobs(kernel)
            if facts["blobs"] != "ok":
                facts["status"] = "unavailable"
        for record in kernel.records:
            plugins[record.name] = entry = _entry(kernel, record)
            if record.essential and "failing" in entry:
                facts["status"] = "unavailable"
    facts["plugins"] = plugins
    return json_response(facts, 200 if facts["status"] == "ok" else 503)


def _blobs(kernel: Kernel) -> str:
    try:
        kernel.blobs.check()
    except Exception as error:
        log.warning("the store of files cannot be used: %s", error)
        return "unreachable"
    return "ok"


def _entry(kernel: Kernel, record: PluginRecord) -> dict[str, Any]:
    entry: dict[str, Any] = {"state": str(record.state)}
    if record.state not in (State.ENABLED, State.DISABLED):
        entry["reason"] = record.reason
    if record.faults:
        entry["faults"] = record.faults
    return entry | _reported(kernel, record) if record.enabled else entry


def _reported(kernel: Kernel, record: PluginRecord) -> dict[str, Any]:
    """Ask a plugin for its facts. The route is public: of an error only its kind is shown, the rest is logged."""
    try:
        found = kernel.ask(record, "register_health", kernel=kernel)
    except Exception as error:
        log.exception("the plugin %s cannot work at present", record.name)
        return {"failing": type(error).__name__}
    return {"facts": dict(found)} if found else {}


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
