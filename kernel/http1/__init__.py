"""HTTP/1.1 below Hypercorn: llhttp reads requests, and an answer goes out in one piece.

Hypercorn keeps the sockets, TLS, HTTP/2, life span and shutdown. Its own HTTP/1.1 costs some 0.5 ms of every
request, three writes and three tasks, so `install` puts this where it would make an `H11Protocol`. What llhttp
does not take, and what asks for another protocol (h2c, WebSocket), goes to h11 as it came: nothing is refused in
another way.
"""

from __future__ import annotations

import importlib

from . import protocols
from .connection import Http1
from .idle import IdleTimer

PLACES = (
    (protocols.PACKAGE, "H11Protocol", Http1),
    ("hypercorn.asyncio.tcp_server", "AsyncioSingleTask", IdleTimer),
)


def install(*, tls: bool = False) -> None:
    """Put these in Hypercorn's places; it has no setting for them. With TLS, HTTP/2 will soon be asked for."""
    if tls:
        protocols.load()
    protocols.light()
    for name, attribute, replacement in PLACES:
        module = importlib.import_module(name)
        if not hasattr(module, attribute):
            raise RuntimeError(f"this Hypercorn has no {name}.{attribute}")
        setattr(module, attribute, replacement)
