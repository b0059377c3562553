"""`atrio serve` and `atrio worker`: processes, signals, sockets.

One worker runs Hypercorn in this process (its command line would add a parent and 39 MiB); more are spawned
by Hypercorn and boot from the environment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from .config import Config, ServerConfig, StorageConfig, base_url, database_url

if TYPE_CHECKING:
    from hypercorn.config import Config as HypercornConfig

    from .host import Kernel

log = logging.getLogger("atrio.serve")


def hypercorn_config(config: Config) -> HypercornConfig:
    """Return Hypercorn's settings; the defaults that bite are set on purpose."""
    from hypercorn.config import Config as HypercornConfig

    server = config[ServerConfig]
    settings = HypercornConfig()
    settings.bind = [server.bind]
    settings.workers = server.workers
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
    settings.application_path = "atrio.asgi:app"
    return settings


def serve(kernel: Kernel) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. SIGHUP restarts gracefully."""
    server = kernel.config[ServerConfig]
    if server.workers > 1:
        return _serve_many(kernel)
    restart = asyncio.run(_serve_one(kernel))
    if restart:
        log.info("restarting")
        os.execv(sys.executable, [sys.executable, *_same_command()])  # noqa: S606 - our own command line
    return 0


def _same_command() -> list[str]:
    if sys.argv[0].endswith(".py"):
        return sys.argv
    return ["-m", "atrio.kernel.cli", *sys.argv[1:]]


async def _serve_one(kernel: Kernel) -> bool:
    from hypercorn.asyncio import serve as hypercorn_serve

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    restart = False

    def on_signal(number: int) -> None:
        nonlocal restart
        restart = number == signal.SIGHUP
        if stop.is_set() and number != signal.SIGHUP:
            os._exit(130)  # a second Ctrl-C means now
        kernel.closing.set()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal, number)
    await hypercorn_serve(
        kernel.app, hypercorn_config(kernel.config), shutdown_trigger=stop.wait, mode="asgi"  # type: ignore[arg-type]
    )  # fmt: skip
    return restart


def _serve_many(kernel: Kernel) -> int:
    """Let Hypercorn spawn the processes; each boots its own instance from the environment."""
    from hypercorn.run import run

    overrides = kernel.sources.overrides
    for name, value in overrides.items():
        section, key = name.split(".", 1)
        text = ",".join(value) if isinstance(value, list | tuple) else str(value)
        os.environ[f"ATRIO_{section}__{key}".upper()] = text
    if kernel.sources.path is not None and kernel.sources.path.is_file():
        os.environ["ATRIO_CONFIG"] = str(kernel.sources.path)
    settings = hypercorn_config(kernel.config)
    kernel.db.close()
    settings.errorlog = "-"
    return run(settings)


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
