"""Answers: plain values that are encoded before the thread hop ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from ..errors import KernelError
from .ranges import Piece

if TYPE_CHECKING:
    from ..blobs import Source

Headers = list[tuple[str, str]]


@dataclass
class Response:
    """A status, headers and a whole body."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    media: str | None = None


@dataclass
class FileResponse(Response):
    """A stored file, or pieces of it, sent in blocks once the unit of work is closed.

    It is opened, and `first` read from it, before the head is sent; `position` is where the open file stands.
    """

    source: Source | None = None
    pieces: list[Piece] = field(default_factory=list)
    file: BinaryIO | None = None
    position: int = 0
    first: bytes = b""

    @property
    def length(self) -> int:
        """How many bytes the body has."""
        return sum(len(piece.head) + piece.length for piece in self.pieces)

    def close(self) -> None:
        """Close the file, if it is open."""
        file, self.file = self.file, None
        if file is not None:
            file.close()


@dataclass
class StreamResponse(Response):
    """Bytes produced in the event loop (an event stream); a client that takes none for `stall_seconds` is left."""

    chunks: Callable[[], AsyncIterator[bytes]] | None = None
    stall_seconds: float | None = None


@dataclass
class LateResponse(Response):
    """An answer that must be waited for (work in another process): in the loop, with no thread and no unit held.

    `finish` gives the answer, or raises a KernelError; the headers of this one are added to it.
    """

    finish: Callable[[], Awaitable[Response]] | None = None


def json_response(value: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """Return a JSON answer."""
    return Response(status, msgspec.json.encode(value), list(headers), "application/json")


def error_response(error: KernelError) -> Response:
    """Return the answer of a refusal (spec: errors, §1)."""
    return json_response(error.body(), error.status, error.headers)


def redirect(location: str, status: int = 307) -> Response:
    """Return a redirect to a path of this server."""
    return Response(status, b"", [("location", location)])
