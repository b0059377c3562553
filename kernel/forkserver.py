"""Children of `kernel.sandbox` that start at once: forked from a process that has imported their modules already.

Starting an interpreter and importing a library costs 60 to 200 ms; a fork costs a few. The process in between
reads nothing of strangers: it forks, and each child limits itself, does one call, and ends. Where the system
cannot do it (no Linux), each call is an ordinary `sandbox.run`.

A module may have a function `rehearse`, which does with something of its own what calls will do. It runs once,
before the first fork: what a library puts off until it is used is done then, and not in every child.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import sandbox
from .sandbox import CHILD, Limits, SandboxFailed

log = logging.getLogger("atrio.sandbox")
START_SECONDS = 30.0
"""How long the process may take until it has forked: the first time it imports its modules."""


class ForkServer:
    """One process with some modules, started at the first call; its children do the calls, several at once.

    It has no environment and none of the server's open files, and ends when the server does.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = tuple(modules)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._usable = hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")

    def run(
        self, target: str, arguments: Mapping[str, Any], limits: Limits | None = None, *,
        folder: Path | None = None,
    ) -> Any:  # fmt: skip
        """Call `module:function` like `sandbox.run` does, with the same answers and failures.

        A call that may start processes is an ordinary one: all that it started must be found again.
        """
        limits = limits or Limits()
        forks = self._usable and not limits.processes
        started = self._fork(target, arguments, limits, folder) if forks else None
        if started is None:
            return sandbox.run(target, arguments, limits, folder=folder)
        child, answers = started
        try:
            data = _listen(child, answers, limits, folder)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
            os.close(child)
            os.close(answers)
        if data is None:
            raise SandboxFailed("died", "it ended without an answer")
        return sandbox.answer_of(data)

    def close(self) -> None:
        """End the process; children that work end by their limits."""
        with self._lock:
            self._end()

    # -- the process in between -------------------------------------------------------------------------------

    def _fork(
        self, target: str, arguments: Mapping[str, Any], limits: Limits, folder: Path | None
    ) -> tuple[int, int] | None:  # fmt: skip
        """Return the handles of a new child and of its answer; None when there is no process that could fork."""
        request = sandbox.request_of(target, arguments, limits, self.modules, str(folder or "/"))
        for _ in range(2):
            with self._lock:
                line = self._started()
                if line is None:
                    return None
                reading, writing = os.pipe()
                try:
                    return self._ask(line, request, writing), reading
                except OSError as error:
                    log.warning("the fork server is started anew: %s", error)
                    os.close(reading)
                    self._end()
                finally:
                    os.close(writing)
        return None

    def _ask(self, line: socket.socket, request: bytes, writing: int) -> int:
        """Send a request with the handle of its answer; return the handle of the process that does it."""
        whole = struct.pack(">Q", len(request)) + request
        line.sendall(whole[socket.send_fds(line, [whole], [writing]) :])
        said, handles, _, _ = socket.recv_fds(line, 1, 1)
        if said != b"+" or len(handles) != 1:
            for handle in handles:
                os.close(handle)
            raise OSError("no child")
        os.set_inheritable(handles[0], False)
        return handles[0]

    def _started(self) -> socket.socket | None:
        if self._process is not None and self._process.poll() is None:
            return self._socket
        self._end()
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter with a file of ours
                [sys.executable, "-I", "-S", "-X", "utf8", str(CHILD), "fork"],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={}, cwd="/",
                close_fds=True, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            log.warning("no fork server: %s", error)
            ours.close()
            return None
        finally:
            theirs.close()
        ours.settimeout(START_SECONDS)
        self._socket = ours
        return ours

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _listen(child: int, answers: int, limits: Limits, folder: Path | None) -> bytes | None:
    """Return the answer; None when the child ended without one. Raises when a limit is passed."""
    os.set_blocking(answers, False)
    data = bytearray()
    wanted: int | None = None
    deadline = time.monotonic() + limits.wall_seconds
    waiting = select.poll()  # not select(): a server with many connections has large numbers for its handles
    waiting.register(answers, select.POLLIN)
    while wanted is None or len(data) < wanted:
        left = deadline - time.monotonic()
        if left <= 0:
            raise SandboxFailed("time", f"no answer in {limits.wall_seconds:g} s")
        if folder is not None:
            sandbox.check_weight(folder, limits)
            left = min(sandbox.TICK, left)
        if not waiting.poll(left * 1000):
            continue
        block = os.read(answers, 65536)
        if not block:
            return None
        data += block
        if wanted is None and len(data) >= 8:
            wanted = 8 + struct.unpack(">Q", data[:8])[0]
            if wanted > 8 + limits.answer_bytes:
                raise SandboxFailed("size", "too long an answer")
    return bytes(data[8:wanted])
