"""Stands before rclone: answers ranges with the status that HTTP asks for, and breaks things where a test says so.

rclone sends the right part with Content-Range, but with 200; S3 and its clients want 206.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BLOCK = 64 * 1024


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shim

    def setup(self) -> None:
        super().setup()
        self.behind = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=60)

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def forward(self) -> None:
        self.server.seen.append(f"{self.command} {self.path}")
        try:
            self._forward()
        except (OSError, http.client.HTTPException, ValueError):
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815

    def _forward(self) -> None:
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            self.behind.putheader(name, value)
        self.behind.endheaders()
        left = int(self.headers.get("content-length") or 0)
        while left:
            block = self.rfile.read(min(BLOCK, left))
            left -= len(block)
            self.server.passed("in", len(block))
            self.behind.send(block)
        answer = self.behind.getresponse()
        self.send_response_only(
            206 if answer.getheader("content-range") and answer.status == 200 else answer.status
        )
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        whole = None
        if answer.getheader("content-length") is None:
            whole = answer.read()
            self.send_header("content-length", str(len(whole)))
        self.end_headers()
        if whole is not None:
            self.wfile.write(whole)
        while block := answer.read(BLOCK):
            self.server.passed("out", len(block))
            self.wfile.write(block)
        if whole is None and self.command != "HEAD" and answer.length:
            raise ConnectionResetError


class Shim(ThreadingHTTPServer):
    """`seen` are the requests; `on_passed` is told how many bytes of bodies went which way and may raise OSError."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.seen: list[str] = []
        self.on_passed: Callable[[str, int], None] | None = None
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def passed(self, way: str, count: int) -> None:
        if self.on_passed is not None:
            self.on_passed(way, count)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def objects(self, verb: str) -> int:
        """How many requests of a kind there were, those of lists and of parts left out."""
        return sum(line.startswith(verb) and "?" not in line for line in self.seen)
