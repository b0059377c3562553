"""A small clamd of our own: it speaks PING and INSTREAM, and knows one virus."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test string that every scanner knows; in two parts, so that none takes this file for it."""


class Scanner(socketserver.ThreadingTCPServer):
    """Remembers what it was shown; `answer` replaces its verdict, `silent` keeps it from giving one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[bytes] = []
        self.answer: bytes | None = None
        self.silent = threading.Event()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Scanner

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.rfile.read(1)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        assert command == b"zINSTREAM\0"
        data = b""
        while length := struct.unpack("!I", self.rfile.read(4))[0]:
            data += self.rfile.read(length)
        self.server.seen.append(data)
        if self.server.silent.is_set():
            self.rfile.read(1)  # until the client gives up
            return
        verdict = b"stream: Eicar-Test FOUND\0" if EICAR in data else b"stream: OK\0"
        self.wfile.write(self.server.answer or verdict)


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    made = Scanner()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def scanned(kernel: Any, scanner: Scanner) -> Scanner:
    """The scanner, with the instance under test pointed at it."""
    from atrio.plugins.antivirus.config import AntivirusConfig

    kernel.config.replace(AntivirusConfig, address=scanner.address)
    return scanner
