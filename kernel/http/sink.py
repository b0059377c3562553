"""Bodies that go where a route wants them, and that are kept when the client goes away before their end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ..blobs import TemporaryBlob
from ..errors import BadRequestBody
from .channel import ClientGone, Message, Receive, SilentClient
from .pool import WorkPool
from .uploads import WRITE_BLOCK, WRITE_PARTS, _next

PATIENCE_SECONDS = 1.0


class Sink(Protocol):
    """Takes a raw body piece by piece; `Route.stream` returns one instead of a limit.

    `blob` is what came, where it is all there and is to be looked at before the route is called.

    All but `waits` are called in threads, one after the other, with no unit of work open. `open` and `write` may
    refuse with a KernelError. `close` comes once after each `open` that returned, with what became of the body; it
    may refuse too. `discard` comes last in every case, also where `open` refused.
    """

    blob: TemporaryBlob | None

    def open(self) -> None:
        """Make ready for the first byte."""

    def write(self, *parts: bytes) -> None:
        """Take bytes, in one piece or in several."""

    def waits(self) -> bool:
        """Tell whether to wait on; asked in the loop whenever no byte came for a second, so it must be quick."""
        ...

    def close(self, *, whole: bool) -> bool:
        """Finish; `whole` tells that the body came to its end. True: the route is called though it did not."""
        ...

    def discard(self) -> None:
        """Let go of everything that the route did not keep."""


async def read_into(
    receive: Receive, sink: Sink, io: WorkPool, *, announced: int | None, stall_seconds: float
) -> None:
    """Stream a whole body into a sink, without a thread while it waits for bytes.

    ClientGone or BadRequestBody when it ended too early and the sink does not want to go on; what came has been
    given to the sink by then.
    """
    await io.run(sink.open)
    pending: list[bytes] = []
    writing: asyncio.Task[None] | None = None
    received, fault = 0, None
    try:
        more, held = True, 0
        while more:
            message = await _piece(receive, sink, stall_seconds)
            data = message.get("body", b"")
            pending.append(data)
            received += len(data)
            held += len(data)
            more = message.get("more_body", False)
            if more and (held >= WRITE_BLOCK or len(pending) >= WRITE_PARTS):
                if writing is not None:
                    await asyncio.shield(writing)
                block, pending, held = pending, [], 0
                # What comes meanwhile is received while a thread writes.
                writing = asyncio.create_task(io.run(sink.write, *block))
        if announced is not None and announced != received:
            fault = BadRequestBody(f"announced {announced} bytes, {received} came")
    except BaseException as error:
        failed = False
        if writing is not None:
            await asyncio.wait([writing])
            failed = writing.exception() is not None
        if await io.run(_end, sink, [] if failed else pending, False) and isinstance(error, ClientGone):
            return
        raise
    try:
        if writing is not None:
            await asyncio.shield(writing)
    except BaseException:
        await io.run(_end, sink, [], False)
        raise
    if not await io.run(_end, sink, pending, fault is None) and fault is not None:
        raise fault


async def _piece(receive: Receive, sink: Sink, stall_seconds: float) -> Message:
    """Return the next message; ClientGone when the client leaves, stalls, or the sink waits no longer."""
    idle = 0.0
    while True:
        try:
            return await _next(receive, min(PATIENCE_SECONDS, stall_seconds - idle))
        except SilentClient:
            idle += PATIENCE_SECONDS
            if idle >= stall_seconds or not sink.waits():
                raise


def _end(sink: Sink, rest: Sequence[bytes], whole: bool) -> bool:
    try:
        sink.write(*rest)
    except BaseException:
        sink.close(whole=False)
        raise
    return sink.close(whole=whole)
