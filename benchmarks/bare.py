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
    found["sub_content_types"] = found["sub_content_types"].split(",")
    found["show_in_ui"] = True
    return found


def note(request: Request) -> Response:
    """The statements of a signed-in GET of one note."""
    connection = _connection()
    connection.execute("BEGIN")
    row: Any = None
    for step in PLAN["note"]:
        row = connection.execute(step["sql"], step["values"]).fetchone()
    connection.execute("COMMIT")
    return Response(orjson.dumps(_shape(row, PLAN["note"][-1]["names"])), media_type="application/json")


def contents(request: Request) -> Response:
    """The statements of a signed-in list of 1,000 contents."""
    connection = _connection()
    connection.execute("BEGIN")
    rows: list[Any] = []
    for step in PLAN["list"]:
        rows = connection.execute(step["sql"], step["values"]).fetchall()
    connection.execute("COMMIT")
    names = PLAN["list"][-1]["names"]
    body = {"items": [_shape(row, names) for row in rows], "has_next": False, "per_page": len(rows)}
    return Response(orjson.dumps(body), media_type="application/json")


app = Starlette(routes=[Route("/note", note), Route("/list", contents)])

if __name__ == "__main__":
    config = Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.keep_alive_max_requests = 1_000_000_000
    config.loglevel = "ERROR"
    asyncio.run(serve(app, config))
