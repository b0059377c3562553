"""Answers that are waited for in the loop: no thread, no unit is held, refusals and headers are told as ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from atrio.kernel.context import Context
from atrio.kernel.errors import ServiceUnavailable
from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.response import LateResponse, Response, json_response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.kernel.testing.client import Client


@pytest.mark.atrio_config(server__threads=1)
def test_late_answers(kernel: Kernel, stranger: Client) -> None:
    seen: list[Context] = []

    async def fine() -> Response:
        with pytest.raises(Exception, match="closed"):
            _ = seen[-1].kept
        busy = await kernel.app.pool.run(lambda: "the one thread is free")
        await asyncio.sleep(0)
        return json_response({"said": busy})

    async def refused() -> Response:
        raise ServiceUnavailable("not now", retry_after=7)

    async def broken() -> Response:
        raise RuntimeError("broken")

    def late(finish: Any) -> Any:
        def handler(ctx: Context, call: Call) -> Response:
            """Answer late."""
            seen.append(ctx)
            ctx.answer_headers.append(("x-early", "1"))
            return LateResponse(finish=finish)

        return handler

    for finish in (fine, refused, broken):
        route = Route("GET", f"/api/late/{finish.__name__}", late(finish), (PUBLIC,), Answer(shape="any"))
        kernel.router.add("test", route)
    answer = stranger.get("/api/late/fine")
    assert (answer.status, answer.json) == (200, {"said": "the one thread is free"})
    assert answer.headers["x-early"] == "1"
    answer = stranger.get("/api/late/refused")
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    answer = stranger.get("/api/late/broken")
    assert (answer.status, answer.code) == (500, None)
    assert stranger.request("HEAD", "/api/late/fine").status == 200
