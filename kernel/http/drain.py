"""Early answers: the rest of a body is read and thrown away before an answer that did not wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .channel import Message, Receive, Send

UNINVITED = "atrio.uninvited"
"""The extension of a scope that tells whether a client that waits for `100 Continue` was not asked for it yet."""


class DrainEarlyAnswers:
    """Outermost wrapper: reads and throws away the rest of a body before an early answer is sent.

    Without it Hypercorn leaves the connection stuck for ever when the application answers (413, 401, 404)
    before it has read the body. Bounded in bytes and time; beyond that the answer says `Connection: close`.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], *, limit: int, seconds: float) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass the call on; only requests that may carry a body are watched."""
        if scope["type"] != "http" or not _may_have_body(scope):
            await self.app(scope, receive, send)
            return
        finished = False
        start: Message | None = None
        uninvited = scope.get("extensions", {}).get(UNINVITED)

        async def watched_receive() -> Message:
            nonlocal finished
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                finished = True
            return message

        async def watched_send(message: Message) -> None:
            nonlocal start, finished
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] == "http.response.body":
                last = not message.get("more_body", False)
                if last and not finished and not (uninvited is not None and uninvited()):
                    drained = await self._drain(watched_receive, lambda: finished)
                    if not drained and start is not None and scope.get("http_version", "1.1") < "2":
                        start["headers"] = [*start.get("headers", ()), (b"connection", b"close")]
                if start is not None:
                    first, start = start, None
                    await send(first)
            await send(message)

        await self.app(scope, watched_receive, watched_send)

    async def _drain(self, receive: Receive, finished: Callable[[], bool]) -> bool:
        read = 0
        deadline = time.monotonic() + self.seconds
        while not finished():
            left = deadline - time.monotonic()
            if left <= 0 or read > self.limit:
                return False
            try:
                message = await asyncio.wait_for(receive(), left)
            except TimeoutError:
                return False
            if message["type"] == "http.disconnect":
                return True
            read += len(message.get("body", b""))
        return True


def _may_have_body(scope: Any) -> bool:
    """Tell whether there is a body: HTTP/1 says by one of two headers that there is (RFC 9112 §6.3)."""
    if any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
        return True
    return scope["method"] not in ("GET", "HEAD") and scope.get("http_version", "1.1") >= "2"
