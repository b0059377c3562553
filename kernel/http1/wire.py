"""What a transport calls: bytes go to the connection, the rest to the streams of asyncio, which Hypercorn uses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .connection import Http1

BLOCK = 128 * 1024
"""Bytes that are read at a time: large bodies take few turns, and others do not wait long for theirs."""
_BUFFERS: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()
"""One for each loop: it is filled and read in one go, whichever connection it is for."""


class Wire(asyncio.BufferedProtocol):
    """The protocol of a transport, for as long as its connection speaks HTTP/1.1."""

    def __init__(self, connection: Http1, inner: Any) -> None:
        loop = asyncio.get_running_loop()
        if loop not in _BUFFERS:
            _BUFFERS[loop] = memoryview(bytearray(BLOCK))
        self.buffer = _BUFFERS[loop]
        self.connection = connection
        self.inner = inner

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where bytes go."""
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        self.connection.take(self.buffer[:nbytes])

    def eof_received(self) -> bool | None:
        """Hear that nothing more comes."""
        found: bool | None = self.inner.eof_received()
        return found

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hear that the client is slow."""
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Hear that it took what there was."""
        self.inner.resume_writing()
