"""The process that test_kill.py kills: it commits causes with durable jobs and runs them.

Arguments: data folder, mode (`produce`, `drain`), point at which it kills itself or `-`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import text

from atrio.kernel import jobs
from atrio.kernel.config import Sources
from atrio.kernel.host import boot
from atrio.kernel.tasks import Task


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    folder, mode, point = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    overrides: dict[str, Any] = {
        "storage.data_dir": str(folder), "storage.fsync": False, "accounts.admin_password": "kill-password",
        "tasks.sweep_seconds": 1, "tasks.threads": 2, "log.level": "error",
        "plugins.disabled": ("mail",),  # its clock would wake the dispatcher before the first cause
    }  # fmt: skip
    kernel = boot(Sources(None, {}, dict(os.environ), overrides))
    if not (folder / "ready").exists():
        with kernel.unit() as ctx:
            ctx.execute(text("CREATE TABLE IF NOT EXISTS cause (n INTEGER PRIMARY KEY)"))
            ctx.execute(text("CREATE TABLE IF NOT EXISTS effect (n INTEGER, attempt INTEGER)"))
        (folder / "ready").touch()
    starts = os.open(folder / "starts", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def handler(ctx: Any, n: int) -> None:
        """Note the start outside the transaction, the effect inside it."""
        os.write(starts, f"{n}\n".encode())
        ctx.execute(text("INSERT INTO effect VALUES (:n, :a)"), {"n": n, "a": ctx.job_attempt})
        if point == "in the handler":
            die()
        time.sleep(0.002)

    kernel.jobs.declare(None, Task("kernel.killed", handler))
    if point == "after the commit":
        kernel.jobs.wake = lambda *a, **k: die()  # type: ignore[method-assign]
    if point == "after the wake-up":
        enqueue = kernel.jobs.enqueue

        def enqueue_and_die(*arguments: Any, **named: Any) -> None:
            enqueue(*arguments, **named)
            die()

        kernel.jobs.enqueue = enqueue_and_die  # type: ignore[method-assign]
    if point == "before done":
        mark = jobs.mark

        def mark_or_die(ctx: Any, job_id: str, attempt: int, **values: Any) -> bool:
            if values.get("state") == "done":
                die()
            return mark(ctx, job_id, attempt, **values)

        jobs.mark = mark_or_die

    consume = point != "after the wake-up"
    kernel.start(consume=consume)
    if mode == "produce":
        threading.Thread(target=produce, args=(kernel, folder), daemon=True).start()
        time.sleep(60)
        return
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with kernel.unit(writes=False) as ctx:
            if not jobs.backlog(ctx):
                break
        time.sleep(0.05)
    kernel.stop()
    print("drained", flush=True)


def produce(kernel: Any, folder: Path) -> None:
    """Commit causes one after the other, each with its job; roll every fifth one back."""
    with kernel.unit(writes=False) as ctx:
        n = (ctx.execute(text("SELECT max(n) FROM cause")).scalar() or 0) + 1
    (folder / "producing").touch()
    while True:
        try:
            with kernel.unit() as ctx:
                ctx.execute(text("INSERT INTO cause VALUES (:n)"), {"n": n})
                ctx.defer("kernel.killed", n=n)
                if n % 5 == 0:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            n += 1
            continue
        n += 1
        time.sleep(0.001)


if __name__ == "__main__":
    main()
