"""A client of clamd's command INSTREAM, as its manual has it: lengths of four bytes, a zero at the end."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

BLOCK = 128 * 1024
ANSWER = 4096


class ScanFailed(Exception):
    """No verdict: the scanner is away, too slow, or answers something else."""


def scan(place: tuple[str, int] | Path, file: Path, *, timeout: float) -> str | None:
    """Return the name of what the scanner found in a file, None where it found nothing; `timeout` in seconds."""
    answer = _ask(place, b"zINSTREAM\0", timeout, file)
    body = answer.removeprefix("stream:").strip()
    if body == "OK":
        return None
    if body.endswith(" FOUND"):
        return body.removesuffix(" FOUND").strip() or "unnamed"
    raise ScanFailed(f"the scanner says {body[:200]!r}")


def ping(place: tuple[str, int] | Path, *, timeout: float) -> None:
    """Ask whether the scanner is there; ScanFailed when it is not."""
    if _ask(place, b"zPING\0", timeout, None) != "PONG":
        raise ScanFailed("the scanner does not say PONG")


def _ask(place: tuple[str, int] | Path, command: bytes, timeout: float, file: Path | None) -> str:
    deadline = time.monotonic() + timeout
    try:
        with _connect(place, timeout) as wire:
            wire.sendall(command)
            if file is not None:
                _send(wire, file, deadline)
            return _read(wire, deadline)
    except OSError as error:
        raise ScanFailed(str(error) or type(error).__name__) from None


def _connect(place: tuple[str, int] | Path, timeout: float) -> socket.socket:
    if isinstance(place, tuple):
        return socket.create_connection(place, timeout)
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.settimeout(timeout)
        wire.connect(str(place))
    except BaseException:
        wire.close()
        raise
    return wire


def _send(wire: socket.socket, file: Path, deadline: float) -> None:
    """Send a file; a scanner that closes early (it has seen enough) may still have answered."""
    try:
        with file.open("rb") as source:
            while block := source.read(BLOCK):
                _limit(wire, deadline)
                wire.sendall(struct.pack("!I", len(block)) + block)
        wire.sendall(struct.pack("!I", 0))
    except (BrokenPipeError, ConnectionResetError):
        return


def _read(wire: socket.socket, deadline: float) -> str:
    found = b""
    while not found.endswith(b"\0") and len(found) < ANSWER:
        _limit(wire, deadline)
        part = wire.recv(ANSWER)
        if not part:
            break
        found += part
    return found.rstrip(b"\0\n").decode("utf-8", "replace").strip()


def _limit(wire: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the scanner took too long")
    wire.settimeout(left)
