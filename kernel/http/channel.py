"""What both directions of a request share: the messages of ASGI and a client that goes away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


class SilentClient(ClientGone):
    """No byte came in time; the connection may still be there."""
