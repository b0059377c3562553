"""A listener of event streams for tests: one real connection, read by a thread of its own."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Frame:
    """One event of a stream; `id` is None where none was sent."""

    event: str
    data: str
    id: int | None = None

    @property
    def json(self) -> Any:
        """The data as JSON."""
        return json.loads(self.data)


def parse_frame(block: bytes) -> Frame | None:
    """Return the event of a block of lines, None for a comment (WHATWG HTML §9.2.6)."""
    event, data, number = "message", [], None
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            number = int(value)
    return Frame(event, "\n".join(data), number) if data else None


class Listener:
    """Reads the stream at a path until it ends or is closed. HTTP/1.0, so the body is the bare stream."""

    def __init__(
        self, port: int, path: str, headers: Mapping[str, str], *, read: bool = True, buffer: int | None = None
    ) -> None:
        self.frames: list[Frame] = []
        self.status = 0
        self.headers: dict[str, str] = {}
        self.over = False
        self._news = threading.Condition()
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        given = {"host": "localhost", "accept": "text/event-stream", **headers}
        head = "".join(f"{k}: {v}\r\n" for k, v in given.items() if v)
        self.socket.sendall(f"GET {path} HTTP/1.0\r\n{head}\r\n".encode())
        self._thread = threading.Thread(target=self._run, daemon=True)
        if read:
            self._thread.start()

    def start(self) -> None:
        """Begin to read, where that was put off."""
        self._thread.start()

    def _run(self) -> None:
        buffer = b""
        try:
            while b"\r\n\r\n" not in buffer and (block := self.socket.recv(65536)):
                buffer += block
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            self.headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
            self.status = int(lines[0].split()[1]) if lines[0] else 0
            while True:
                *whole, buffer = buffer.split(b"\n\n")
                found = [f for block in whole if (f := parse_frame(block)) is not None]
                with self._news:
                    self.frames += found
                    self._news.notify_all()
                block = self.socket.recv(65536)
                if not block:
                    break
                buffer += block
        except (OSError, IndexError, ValueError):
            pass
        with self._news:
            self.over = True
            self._news.notify_all()

    def wait(self, wanted: Callable[[list[Frame]], Any] | int | None = None, seconds: float = 10) -> Any:
        """Wait until a condition on the frames holds (a number: that many messages; none: the end)."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                done = self._holds(wanted)
                if done:
                    return done
                left = deadline - time.monotonic()
                ended = self.over and wanted is not None
                assert left > 0, f"not in {seconds} s: {self.status} {self.frames[-5:]}"
                assert not ended, f"the stream ended: {self.status} {self.frames[-5:]}"
                self._news.wait(left)

    def _holds(self, wanted: Callable[[list[Frame]], Any] | int | None) -> Any:
        if wanted is None:
            return self.over
        if isinstance(wanted, int):
            return len(self.messages) >= wanted
        return wanted(self.frames)

    @property
    def messages(self) -> list[Frame]:
        """The frames that carry a message."""
        return [f for f in self.frames if f.event == "message"]

    @property
    def ids(self) -> list[int]:
        """The ids of the messages, as they came."""
        return [f.id for f in self.messages if f.id is not None]

    def close(self) -> None:
        """Go away."""
        self.socket.close()
        if self._thread.is_alive():
            self._thread.join(5)
