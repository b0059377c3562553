"""`atrio serve` and `atrio worker`: processes, signals, sockets.

One worker runs Hypercorn in this process (its command line would add a parent and 39 MiB); with more, this
process only watches over them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import re
import signal
import socket
import ssl
import sys
import threading
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from . import garbage
from .config import Config, ServerConfig, StorageConfig, base_url, database_url

if TYPE_CHECKING:
    from hypercorn.config import Config as HypercornConfig

    from .host import Kernel

log = logging.getLogger("atrio.serve")
INHERITED = "ATRIO_INHERITED_SOCKET"
OURS = re.compile(r"hypercorn|kernel.http1").search
"""Files whose tasks belong to connections."""
RECEIVE_BLOCK = 256 * 1024
"""How much is taken at a time from a connection with HTTP/2, or that h11 judges: as much as asyncio reads at
once. Hypercorn's own 64 KiB make a large upload four times as many turns of the loop."""


def hypercorn_config(config: Config) -> HypercornConfig:
    """Return Hypercorn's settings; the defaults that bite are set on purpose."""
    from hypercorn.config import Config as HypercornConfig

    server = config[ServerConfig]
    settings = HypercornConfig()
    settings.bind = [server.bind]
    settings.certfile = server.tls_cert
    settings.keyfile = server.tls_key
    settings.graceful_timeout = server.graceful_seconds
    settings.shutdown_timeout = 5
    settings.keep_alive_timeout = server.keep_alive_seconds
    settings.keep_alive_max_requests = 1_000_000_000  # the default drops a client after 1000 requests
    settings.backlog = 1024
    settings.h11_max_incomplete_size = 64 * 1024
    settings.include_server_header = False
    settings.errorlog = logging.getLogger("atrio.hypercorn")
    settings.loglevel = "WARNING"
    return settings


def serve(kernel: Kernel) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. SIGHUP restarts gracefully."""
    kernel.check_blobs()  # before processes begin that would end with the same reason again and again
    if kernel.config[ServerConfig].workers > 1:
        return _serve_many(kernel)
    settings = hypercorn_config(kernel.config)
    bind = settings.bind[0]
    settings.bind = [_inherited(bind) or bind]
    sockets = _sockets(settings, kernel.config)
    kept = [os.dup(s.fileno()) for s in (*sockets.secure_sockets, *sockets.insecure_sockets)]
    if asyncio.run(_serve_one(kernel, sockets)):
        log.info("restarting")
        os.set_inheritable(kept[0], True)
        os.environ[INHERITED] = f"{kept[0]}@{bind}"  # clients that come meanwhile wait in its queue
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line
    return 0


def _sockets(settings: HypercornConfig, config: Config) -> Any:
    """Open the listening sockets; connections inherit that a peer which is gone, or never reads, is dropped.

    Hypercorn waits without end for a client that takes no byte: only the system can end such a connection.
    """
    sockets = settings.create_sockets()
    seconds = config[ServerConfig].unread_seconds
    for found in (*sockets.secure_sockets, *sockets.insecure_sockets):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if found.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_USER_TIMEOUT"):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
    return sockets


def _inherited(bind: str) -> str | None:
    """Return the listening socket that a restarting process handed over, if it is for this address."""
    number, _, address = os.environ.pop(INHERITED, "").partition("@")
    return f"fd://{number}" if number and address == bind else None


async def _serve_one(kernel: Kernel, sockets: Any) -> bool:
    """Serve in this process; returns whether a restart was asked for."""
    from . import http1

    settings = hypercorn_config(kernel.config)
    http1.install(tls=settings.ssl_enabled)
    from hypercorn.asyncio import tcp_server
    from hypercorn.asyncio.run import worker_serve
    from hypercorn.utils import wrap_app

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    restart = False
    # Thousands of open streams are millions of objects that live long: walking them all stops everything for
    # half a second. What boot made is never walked again, and the old generation rarely. The thousand objects
    # that boot left lying stay with it: to find them costs 0.1 s of every start.
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)

    def on_signal(number: int) -> None:
        nonlocal restart
        if stop.is_set() and number == signal.SIGINT:
            os._exit(130)  # a second Ctrl-C means now
        restart = number == signal.SIGHUP
        kernel.closing.set()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    loop.set_exception_handler(_quiet_handler)
    tcp_server.MAX_RECV = RECEIVE_BLOCK  # there is no setting for it
    app = wrap_app(kernel.app, settings.wsgi_max_body_size, "asgi")  # type: ignore[arg-type]
    serving = asyncio.ensure_future(worker_serve(app, settings, sockets=sockets, shutdown_trigger=stop.wait))
    await asyncio.wait({serving, asyncio.ensure_future(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    for _ in range(3):
        done, _pending = await asyncio.wait({serving}, timeout=settings.graceful_timeout + 0.2)
        if done:
            break
        _cut_connections()
    await serving
    return restart


def _quiet_handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out what clients cause: a failed handshake, a connection that was cut."""
    if not isinstance(context.get("exception"), asyncio.CancelledError | ssl.SSLError):
        loop.default_exception_handler(context)


def _cut_connections() -> None:
    """Cancel the connections that outlived their grace once more.

    Hypercorn cancels them itself, and they then wait for ever to flush to a client that does not read.
    """
    spared = ("worker_serve", "Lifespan.handle_lifespan")
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        if code is not None and OURS(code.co_filename) and code.co_qualname not in spared:
            task.cancel()


def _serve_many(kernel: Kernel) -> int:
    """Watch over several processes on the same sockets; one that dies is started again."""
    settings = hypercorn_config(kernel.config)
    count = kernel.config[ServerConfig].workers
    sources = kernel.sources
    kernel.db.close()
    sockets = _sockets(settings, kernel.config)
    spawn = multiprocessing.get_context("spawn")
    running: list[Any] = []
    state = {"stop": False, "restart": False}

    def begin() -> None:
        process = spawn.Process(target=_worker_process, args=(sources, sockets), daemon=True)
        process.start()
        running.append(process)

    def on_stop(number: int, frame: Any) -> None:
        state["stop"] = True

    def on_restart(number: int, frame: Any) -> None:
        state["restart"] = True

    signal.signal(signal.SIGINT, on_stop)
    signal.signal(signal.SIGTERM, on_stop)
    signal.signal(signal.SIGHUP, on_restart)
    for _ in range(count):
        begin()
    while not state["stop"]:
        wait([p.sentinel for p in running], timeout=0.2)
        if state["restart"]:
            state["restart"] = False
            sources = type(sources).load(sources.path if sources.file else None, overrides=sources.overrides)
            for process in running:
                process.terminate()
                process.join(10)
        for process in [p for p in running if not p.is_alive()]:
            running.remove(process)
            if not state["stop"]:
                log.warning("worker %s ended with %s and is started again", process.pid, process.exitcode)
                begin()
    for process in running:
        process.terminate()
    for process in running:
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
    return 0


def _worker_process(sources: Any, sockets: Any) -> None:
    """Serve in a child process on sockets of the parent."""
    with garbage.held():
        from .host import boot
        from .logs import configure_logging

        kernel = boot(sources)
        configure_logging(kernel.config)
    asyncio.run(_serve_one(kernel, sockets))


def work(kernel: Kernel) -> int:
    """Run jobs and single background services without serving, until SIGINT or SIGTERM."""
    stop = threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    kernel.start(consume=True)
    try:
        while not stop.wait(3600):
            pass
    finally:
        kernel.stop()
    return 0


def describe(kernel: Kernel) -> list[str]:
    """Return the lines that `serve` prints before it listens; no secret among them."""
    from sqlalchemy.engine import make_url

    url = base_url(kernel.config)
    shown = make_url(database_url(kernel.config)).render_as_string(hide_password=True)
    running = [r.name for r in kernel.records if r.enabled]
    lines = [
        f"Atrio       {url}/",
        f"API docs    {url}/api/doc/",
        f"Data        {kernel.config[StorageConfig].data_dir.absolute()}",
        f"Database    {shown}",
        f"Plugins     {', '.join(running)}",
    ]
    for record in kernel.records:
        if not record.enabled and record.reason and str(record.state) != "disabled":
            lines.append(f"  parked    {record.name} ({record.state}): {record.reason}")
    return lines
