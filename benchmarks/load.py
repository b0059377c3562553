"""Load from this process: keep-alive connections on plain sockets, and the CPU and memory of the server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process so far: the kernel's own account of it, in nanoseconds."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid: int, key: str = "VmRSS") -> float:
    """Return the resident memory of a process, or its peak with VmHWM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


class Connection:
    """One keep-alive HTTP/1.1 connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.headers = "".join(f"{k}: {v}\r\n" for k, v in headers.items())

    def request(self, method: str, path: str, body: bytes = b"", extra: str = "") -> tuple[int, bytes]:
        """Send one request and read its answer."""
        length = f"content-length: {len(body)}\r\n" if body or method != "GET" else ""
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n{self.headers}{length}{extra}\r\n"
        self.socket.sendall(head.encode() + body)
        status = int(self.file.readline().split()[1])
        size = 0
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        return status, self.file.read(size)

    def close(self) -> None:
        """Close."""
        self.file.close()
        self.socket.close()


@dataclass
class Measured:
    """What a run of requests cost."""

    requests: int
    cpu_ms: float
    wall_ms: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    bad: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / (self.wall_ms / 1000)


def run(
    pid: int, port: int, headers: dict[str, str], clients: int, each: int,
    make: Callable[[int, int], tuple[str, str, bytes] | tuple[str, str, bytes, str]],
) -> Measured:  # fmt: skip
    """Send `each` requests from every client; `make(client, n)` gives method, path, body, more headers."""
    times: list[float] = []
    bad = 0
    lock = threading.Lock()

    def one(client: int) -> None:
        nonlocal bad
        connection = Connection(port, headers)
        mine = []
        wrong = 0
        for n in range(each):
            wanted = make(client, n)
            began = time.perf_counter()
            status, _ = connection.request(*wanted)
            mine.append(time.perf_counter() - began)
            wrong += status not in (200, 204)
        connection.close()
        with lock:
            times.extend(mine)
            bad += wrong

    before = cpu_seconds(pid)
    began = time.perf_counter()
    threads = [threading.Thread(target=one, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    spent = cpu_seconds(pid) - before
    times.sort()
    total = len(times)
    return Measured(
        total, spent / total * 1000, wall * 1000, times[total // 2] * 1000,
        times[min(total - 1, int(total * 0.99))] * 1000, times[-1] * 1000, bad,
    )  # fmt: skip


def best_of(times: int, measure: Callable[[], Measured]) -> Measured:
    """Return the cheapest of several runs: the machine is shared, noise only adds."""
    return min((measure() for _ in range(times)), key=lambda m: m.cpu_ms)
