"""The bare limit: a Starlette `def` endpoint on Hypercorn that runs the same SQL through sqlite3 and dumps
the same objects with orjson. No rights, no events, no schema: what remains is the price of the stack."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import orjson
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PLAN: dict[str, Any] = json.loads(Path(os.environ["BENCH_PLAN"]).read_text())
_local = threading.local()


def _connection() -> sqlite3.Connection:
    found: sqlite3.Connection | None = getattr(_local, "connection", None)
    if found is None:
        found = _local.connection = sqlite3.connect(PLAN["database"], isolation_level=None)
        found.execute("PRAGMA journal_mode=WAL")
    return found


def _shape(row: tuple[Any, ...], names: list[str]) -> dict[str, Any]:
    flat = dict(zip(names, row, strict=True))
    found: dict[str, Any] = {}
    for name, value in flat.items():
        head, _, tail = name.partition("__")
        if tail:
            found.setdefault(head, {"has_avatar": True})[tail] = value
        else:
            found[name] = value
    if "sub_content_types" in found:
        found["sub_content_types"] = found["sub_content_types"].split(",")
        found["show_in_ui"] = True
    return found


def _endpoint(shape: str, steps: list[dict[str, Any]]) -> Any:
    """Return an endpoint that runs these statements and dumps the rows of the last one."""
    names = steps[-1]["names"]

    def answer(request: Request) -> Response:
        connection = _connection()
        connection.execute("BEGIN")
        rows: list[Any] = []
        for step in steps:
            rows = connection.execute(step["sql"], step["values"]).fetchall()
        connection.execute("COMMIT")
        body: Any = [_shape(row, names) for row in rows]
        if shape == "one":
            body = body[0]
        elif shape == "page":
            body = {"items": body, "has_next": False, "per_page": len(rows)}
        return Response(orjson.dumps(body), media_type="application/json")

    return answer


app = Starlette(
    routes=[Route(f"/{name}", _endpoint(plan["shape"], plan["steps"])) for name, plan in PLAN["routes"].items()]
)

if __name__ == "__main__":
    config = Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.keep_alive_max_requests = 1_000_000_000
    config.loglevel = "ERROR"
    asyncio.run(serve(app, config))
