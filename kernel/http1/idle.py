"""Connections that wait for a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

_WAITING: WeakKeyDictionary[Any, tuple[set[IdleTimer], asyncio.Future[None]]] = WeakKeyDictionary()


async def _end_all(context: Any, waiting: set[IdleTimer]) -> None:
    await context.terminated.wait()
    for timer in list(waiting):
        timer.fire()


class IdleTimer:
    """Closes a connection on which nothing is asked: a timer, where Hypercorn has two tasks for each request."""

    def __init__(self) -> None:
        self.handle: asyncio.Handle | None = None
        self.waiting: set[IdleTimer] = set()
        self.task_group: Any = None
        self.server: Any = None

    async def restart(self, task_group: Any, action: Callable[[], Awaitable[None]]) -> None:
        """Begin to wait; `action` is the method of Hypercorn's connection that would wait itself."""
        self.hold()
        self.task_group, self.server = task_group, action.__self__  # type: ignore[attr-defined]
        context, loop = self.server.context, asyncio.get_running_loop()
        if context.terminated.is_set():
            self.handle = loop.call_soon(self.fire)
            return
        if context not in _WAITING:
            found: set[IdleTimer] = set()
            _WAITING[context] = (found, asyncio.ensure_future(_end_all(context, found)))
        self.waiting = _WAITING[context][0]
        self.waiting.add(self)
        self.handle = loop.call_later(self.server.config.keep_alive_timeout, self.fire)

    async def stop(self) -> None:
        """Wait no more, as Hypercorn asks for it."""
        self.hold()

    def hold(self) -> None:
        """Wait no more."""
        self.waiting.discard(self)
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None

    def fire(self) -> None:
        """Close the connection."""
        self.waiting.discard(self)
        self.handle = None
        with suppress(RuntimeError):  # it is closing
            self.task_group.spawn(self.server._initiate_server_close)
