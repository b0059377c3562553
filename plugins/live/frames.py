"""The frames of a stream (WHATWG HTML §9.2; spec: events, §6)."""

from __future__ import annotations

from typing import Any

import msgspec

from atrio.kernel.db.base import iso_utc
from atrio.kernel.errors import KernelError

KEEP_ALIVE = b"event: keep-alive\ndata:\n\n"
_encode = msgspec.json.Encoder().encode


def opening(user_id: int) -> bytes:
    """Return what every stream begins with."""
    return b":Atrio live messages for user %d\n\nevent: stream-open\ndata: \n\n" % user_id


def message(row: Any, *, read_at: int | None = None, named: bool = True) -> bytes:
    """Return the frame of a message; what is caught up with has no `event` line, as clients know it."""
    kind = _encode(row.event_type).decode()
    head = f'{{"event_id":{row.event_id},"event_type":{kind},"created":"{iso_utc(row.created)}"'
    read = "null" if read_at is None else f'"{iso_utc(read_at)}"'
    event = "event: message\n" if named else ""
    return f'id: {row.event_id}\n{event}data: {head},"read":{read},"fields":{row.fields}}}\n\n'.encode()


def refusal(error: KernelError) -> bytes:
    """Return the frame that says why there is no stream."""
    body = error.body()
    data = _encode({"code": body["code"], "message": body["message"]})
    return b"event: stream-error\ndata: " + data + b"\n\n"


def transient(name: str, value: Any) -> bytes:
    """Return a frame that no log holds: it has no id, and nobody gets it later."""
    return b"event: " + name.encode() + b"\ndata: " + _encode(value) + b"\n\n"
