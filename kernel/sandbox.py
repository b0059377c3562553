"""Run one function in a child process that may fail, loop or be killed without harm to this one.

For code that reads what strangers made: texts and pictures of files. The child has limits of memory, time and
file size, no environment, no open files of the server, low priority and a process group that is killed whole.
It has the rights of the server's user and its network: it keeps faults away, not an attacker who takes over the
process. Deployments that want more run the server in a container.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Failure = Literal["time", "memory", "size", "error", "died"]
CHILD = Path(__file__).with_name("sandboxed.py")
TICK = 0.1
"""Seconds between two looks at what the child wrote into its folder."""
REQUEST = 48 * 1024
"""Bytes of a request: what a pipe takes without a reader."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    `file_mib` holds for each file that it writes and for all of its folder; `answer_bytes` for its answer in
    JSON. Without `processes` it cannot start any (not enforced for the superuser).
    """

    memory_mib: int = 512
    cpu_seconds: int = 20
    wall_seconds: float = 30.0
    file_mib: int = 64
    answer_bytes: int = 16 * MIB
    processes: bool = False


class SandboxFailed(Exception):
    """The function gave no answer.

    `reason`: `time` (of the processor or the clock), `memory`, `size` (of the answer or of a file), `error` (it
    raised: `kind` is the name of the exception), `died` (ended by a signal, or without a word).
    """

    def __init__(self, reason: Failure, detail: str = "", kind: str = "") -> None:
        super().__init__(f"{reason}: {kind} {detail}".rstrip())
        self.reason = reason
        self.detail = detail
        self.kind = kind


def run(
    target: str,
    arguments: Mapping[str, Any],
    limits: Limits | None = None,
    *,
    folder: Path | None = None,
    modules: Iterable[str] = (),
) -> Any:
    """Call `module:function` with keyword arguments in a child and return its answer; both are JSON.

    `folder` is where the child is, and where it may leave files; the caller makes and deletes it. The packages
    around the module are not run in the child: it imports what it needs by full or relative names, and so do
    `modules`, which the function may load. SandboxFailed when there is no answer; ValueError for a module that
    does not exist or arguments that are too long.
    """
    limits = limits or Limits()
    request = request_of(target, arguments, limits, tuple(modules))
    child = subprocess.Popen(  # noqa: S603 - this interpreter with a file of ours
        [sys.executable, "-I", "-S", "-X", "utf8", str(CHILD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={}, cwd=folder or "/", close_fds=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert child.stdin is not None
        try:
            child.stdin.write(request)
            child.stdin.close()
        except BrokenPipeError:
            pass  # it is gone already; how it went shows below
        data = _listen(child, limits, folder)
    finally:
        _end(child)
    return _answer(child, data)


def request_of(
    target: str, arguments: Mapping[str, Any], limits: Limits, modules: tuple[str, ...], folder: str = ""
) -> bytes:  # fmt: skip
    """Return what a child reads; ValueError for a module that does not exist or arguments that are too long."""
    packages: dict[str, list[str]] = {}
    for name in (target.partition(":")[0], *modules):
        packages |= _packages(name)
    request = {
        "target": target,
        "arguments": dict(arguments),
        "folder": folder,
        "modules": modules,
        "paths": [p for p in sys.path if p and os.path.isabs(p)],
        "packages": packages,
        "limits": {
            "memory_bytes": limits.memory_mib * MIB, "cpu_seconds": limits.cpu_seconds,
            "wall_seconds": limits.wall_seconds, "file_bytes": limits.file_mib * MIB,
            "answer_bytes": limits.answer_bytes, "processes": limits.processes,
        },
    }  # fmt: skip
    data = json.dumps(request).encode()
    if len(data) > REQUEST:
        raise ValueError(f"a request of {len(data)} bytes, at most {REQUEST}")
    return data


@lru_cache(maxsize=256)
def _packages(module: str) -> dict[str, list[str]]:
    """Return the packages around a module and where their modules lie, outermost first."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None:
        raise ValueError(f"no module {module}")
    names = module.split(".")[:-1]
    around = [".".join(names[: i + 1]) for i in range(len(names))]
    return {name: [os.path.abspath(p) for p in sys.modules[name].__path__] for name in around}


def _listen(child: subprocess.Popen[bytes], limits: Limits, folder: Path | None) -> bytes | None:
    """Return the answer; None when the child ended without one. Raises when a limit is passed."""
    assert child.stdout is not None
    handle = child.stdout.fileno()
    os.set_blocking(handle, False)
    data = bytearray()
    wanted: int | None = None
    deadline = time.monotonic() + limits.wall_seconds
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while wanted is None or len(data) < wanted:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxFailed("time", f"no answer in {limits.wall_seconds:g} s")
            check_weight(folder, limits)
            if not selector.select(min(TICK, left)):
                if _over(child):
                    return None
                continue
            block = os.read(handle, 65536)
            if not block:
                _wait(child)
                return None
            data += block
            if wanted is None and len(data) >= 8:
                wanted = 8 + struct.unpack(">Q", data[:8])[0]
                if wanted > 8 + limits.answer_bytes:
                    raise SandboxFailed("size", "too long an answer")
    return bytes(data[8:wanted])


def check_weight(folder: Path | None, limits: Limits) -> None:
    """Raise SandboxFailed when a child wrote more into its folder than it may."""
    if folder is not None and _weight(folder) > limits.file_mib * MIB:
        raise SandboxFailed("size", f"more than {limits.file_mib} MiB of files")


def _weight(folder: Path) -> int:
    """Return the bytes of the files in a folder; what vanishes meanwhile counts for nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


def _over(child: subprocess.Popen[bytes]) -> bool:
    """Tell whether the child has ended, and leave it unreaped: its number must stay its own until it is killed."""
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _wait(child: subprocess.Popen[bytes]) -> None:
    """Give a child that closed its answer a moment to end by itself, so that it can be said how."""
    for _ in range(100):
        if _over(child):
            return
        time.sleep(0.01)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and all that it started."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None and not stream.closed:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _answer(child: subprocess.Popen[bytes], data: bytes | None) -> Any:
    return _died(child.returncode) if data is None else answer_of(data)


def answer_of(data: bytes) -> Any:
    """Return what the function returned, or raise how it failed."""
    try:
        answer = json.loads(data)
        if "value" in answer:
            return answer["value"]
        raise SandboxFailed(answer["failure"], str(answer["message"]), str(answer.get("type", "")))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SandboxFailed("died", "no answer that can be read") from None


def _died(code: int) -> Any:
    if code == -signal.SIGXCPU:
        raise SandboxFailed("time", "no processor time left")
    if code < 0:
        raise SandboxFailed("died", f"ended by signal {-code}")
    raise SandboxFailed("died", f"ended with status {code}")
