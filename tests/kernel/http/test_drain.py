"""Which requests are watched for a body that an early answer leaves unread."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from atrio.kernel.http.drain import DrainEarlyAnswers

LENGTH, CHUNKED = [(b"content-length", b"5")], [(b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize(
    ("method", "version", "headers", "watched"),
    [
        ("GET", "1.1", [], False),
        ("GET", "1.1", LENGTH, True),
        ("PROPFIND", "1.1", [], False),  # HTTP/1 announces every body
        ("PROPFIND", "1.1", LENGTH, True),
        ("POST", "1.0", LENGTH, True),
        ("POST", "1.1", CHUNKED, True),
        ("DELETE", "2", [], True),
        ("GET", "2", [], False),
    ],
)
def test_only_what_may_have_a_body_is_watched(
    method: str, version: str, headers: list[tuple[bytes, bytes]], watched: bool
) -> None:
    read: list[str] = []

    async def early(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        read.append(method)
        return {"type": "http.request", "body": b"12345", "more_body": False}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": method, "http_version": version, "headers": headers}
    asyncio.run(DrainEarlyAnswers(early, limit=1000, seconds=1)(scope, receive, send))
    assert bool(read) is watched
    assert sent == ["http.response.start", "http.response.body"]
