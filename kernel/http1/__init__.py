"""HTTP/1.1 below Hypercorn: llhttp reads requests, and an answer goes out in one piece.

Hypercorn keeps the sockets, TLS, HTTP/2, life span and shutdown. Its own HTTP/1.1 costs some 0.5 ms of every
request, three writes and three tasks, so `install` puts this where it would make an `H11Protocol`. What llhttp
does not take, and what asks for another protocol (h2c, WebSocket), goes to h11 as it came: nothing is refused in
another way.
"""

from __future__ import annotations

from hypercorn import protocol
from hypercorn.asyncio import tcp_server

from .connection import Http1
from .idle import IdleTimer

PLACES = ((protocol, "H11Protocol", Http1), (tcp_server, "AsyncioSingleTask", IdleTimer))


def install() -> None:
    """Put these in Hypercorn's places; it has no setting for them."""
    for module, name, replacement in PLACES:
        if not hasattr(module, name):
            raise RuntimeError(f"this Hypercorn has no {module.__name__}.{name}")
        setattr(module, name, replacement)
