"""The child side of `kernel.sandbox`: started by path, knows the standard library alone, limits itself first.

Nothing of Atrio is imported here: a start costs what the interpreter and the wanted module cost. The packages
around that module are made without running them (`packages`).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from types import ModuleType
from typing import Any

RESERVE = 1 << 20
"""Bytes that are let go before a failure is reported, so that there is memory to report it."""
MESSAGE = 300
REQUEST = 65536
"""Bytes that are read of a request at once: more than one has."""
NAME = "atrio.kernel.sandboxed"


def _limit(kind: int, value: int) -> None:
    """Set a limit for good; a stricter one that was there stays."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def confine(limits: dict[str, Any]) -> None:
    """Take everything away that the work does not need; none of it can be had back."""
    os.nice(10)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 64)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    seconds = limits["cpu_seconds"]
    resource.setrlimit(
        resource.RLIMIT_CPU, (seconds, seconds + 1)
    )  # SIGXCPU ends it, SIGKILL where that is caught
    if not limits["processes"]:
        _limit(resource.RLIMIT_NPROC, 0)
    # Should the server die meanwhile, nobody else ends this process.
    signal.setitimer(signal.ITIMER_REAL, limits["wall_seconds"] + 1)


def prepare(paths: list[str], packages: dict[str, list[str]]) -> None:
    """Make modules findable: paths to search, and packages that are there without having been run."""
    sys.path[:] = paths
    sys.dont_write_bytecode = True
    for name, places in packages.items():
        module = ModuleType(name)
        module.__path__ = places
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], last, module)


def work(request: dict[str, Any]) -> dict[str, Any]:
    """Call the function and return its value, or how it failed."""
    reserve = bytes(RESERVE)  # of a bytearray each page would be written now
    try:
        import importlib

        module, _, function = request["target"].partition(":")
        value = getattr(importlib.import_module(module), function)(**request["arguments"])
        return {"value": value}
    except MemoryError:
        del reserve
        return {"failure": "memory", "message": "no memory left"}
    except BaseException as error:  # noqa: BLE001 - also SystemExit: whatever it is, it is told
        del reserve
        kind = "size" if isinstance(error, OSError) and error.errno == 27 else "error"
        return {"failure": kind, "type": type(error).__name__, "message": _text(error)}


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MESSAGE]
    except Exception:  # noqa: BLE001 - an exception that cannot be shown
        return ""


def encode(answer: dict[str, Any], most: int) -> bytes:
    """Return the answer as JSON, or a failure when it is too long or no JSON."""
    try:
        data = json.dumps(answer).encode("ascii")
    except MemoryError:
        data = json.dumps({"failure": "memory", "message": "no memory left for the answer"}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        data = json.dumps({"failure": "error", "type": "TypeError", "message": _text(error)}).encode()
    if len(data) > most:
        data = json.dumps({"failure": "size", "message": f"an answer of {len(data)} bytes"}).encode()
    return data


def main() -> None:
    """Read the request, do it, write a length and the answer; prints go nowhere."""
    request = json.loads(sys.stdin.buffer.read())
    answers = os.dup(1)
    silence()
    confine(request["limits"])
    prepare(request["paths"], request["packages"])
    serve(request, answers)


def silence() -> None:
    """Lead what is read and printed nowhere."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    os.close(nothing)


def serve(request: dict[str, Any], answers: int) -> None:
    """Do a request, write its answer, and end."""
    data = encode(work(request), request["limits"]["answer_bytes"])
    whole = memoryview(struct.pack(">Q", len(data)) + data)
    while whole:
        whole = whole[os.write(answers, whole) :]
    os._exit(0)  # no handlers, no threads that would be waited for


def fork_for_requests() -> None:
    """Fork a child for each request that comes, until the server is gone (`kernel.forkserver`).

    The modules are imported at the first request and belong to all children. Nothing but requests is read here.
    """
    import gc
    import socket

    signal.signal(signal.SIGCHLD, _reap)
    line = socket.socket(fileno=os.dup(0))
    silence()
    ready = False
    while True:
        data, handles, _, _ = socket.recv_fds(line, REQUEST, 1)
        if len(data) < 8 or len(handles) != 1:
            os._exit(0)
        data += _exactly(line, 8 + struct.unpack(">Q", data[:8])[0] - len(data))
        if not ready:
            request = json.loads(data[8:])
            prepare(request["paths"], request["packages"])
            _import_all(request["modules"])
            gc.collect()
            gc.freeze()  # children that look for garbage would copy all of it
            ready = True
        try:
            child = os.fork()
        except OSError:
            line.sendall(b"-")
            child = -1
        if child == 0:
            _child(line, data[8:], handles[0])
        os.close(handles[0])


def _reap(number: int, frame: Any) -> None:
    """Take note of children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _import_all(modules: list[str]) -> None:
    """Import modules, and let those rehearse that can."""
    import importlib

    for module in modules:
        try:
            rehearse = getattr(importlib.import_module(module), "rehearse", None)
            if rehearse is not None:
                rehearse()
        except Exception:  # noqa: BLE001, S112 - the call that needs it says why there is none
            continue


def _exactly(line: Any, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        block = line.recv(min(65536, length - len(data)))
        if not block:
            os._exit(0)
        data += block
    return bytes(data)


def _child(line: Any, data: bytes, answers: int) -> None:
    """Be the child of one request; never returns.

    The request is read here: what the process in between touches is copied page by page after each fork.
    """
    import socket

    try:
        request = json.loads(data)
        socket.send_fds(line, [b"+"], [os.pidfd_open(os.getpid())])
        line.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(request["folder"] or "/")
        confine(request["limits"])
        prepare(request["paths"], {k: v for k, v in request["packages"].items() if k not in sys.modules})
        serve(request, answers)
    finally:
        os._exit(1)


if __name__ == "__main__":
    fork_for_requests() if sys.argv[1:] == ["fork"] else main()
