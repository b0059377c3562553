"""Mail: what a request pays for its receivers, and how fast mails leave beside a bare aiosmtplib loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from server import Server, free_port

MAILS = 1000
Row = Callable[..., None]


async def _sink(port: int) -> None:
    from aiosmtpd.smtp import SMTP

    class Nothing:
        """Takes every mail and keeps none."""

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            return "250 OK"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Nothing()), "127.0.0.1", port)
    await server.serve_forever()


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run an SMTP server in a process of its own; it ends with the block."""
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, "sink", str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def _bare(port: int, data: bytes) -> float:
    import aiosmtplib

    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    await client.connect()
    began = time.perf_counter()
    for number in range(MAILS):
        await client.sendmail("atrio@localhost", [f"u{number}@example.org"], data)
    spent = time.perf_counter() - began
    await client.quit()
    return MAILS / spent


def members(folder: Path, space: int, number: int, mode: str) -> None:
    """Put so many members with a mode into a space, who have signed in before; others leave."""
    import sqlite3

    database = sqlite3.connect(folder / "atrio.db", isolation_level=None, timeout=30)
    database.execute("BEGIN IMMEDIATE")
    database.executemany(
        "INSERT INTO accounts_user (email, public_name, profile, auth_type, timezone, allowed_space, is_active,"
        " is_deleted, has_cover, created, creation_type, version)"
        " VALUES (?, ?, 1, 'internal', '', 0, 1, 0, 0, 0, 'cli', 0) ON CONFLICT DO NOTHING",
        ((f"u{n}@example.org", f"User {n}") for n in range(number)),
    )
    database.execute("DELETE FROM spaces_member WHERE space_id = ? AND user_id > 1", (space,))
    database.execute(
        "INSERT INTO spaces_member (space_id, user_id, role, email_notification_type, created)"
        " SELECT ?, user_id, 1, ?, 0 FROM accounts_user WHERE user_id > 1 ORDER BY user_id LIMIT ?",
        (space, mode, number),
    )
    database.execute("COMMIT")
    database.close()


def _request(server: Server, path: str) -> float:
    """Return the median of a comment's milliseconds."""
    times = []
    for number in range(25):
        began = time.perf_counter()
        server.call("POST", path, {"raw_content": f"<p>Comment {number}</p>"})
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[5:])


def bench_requests(folder: Path, row: Row) -> None:
    """A comment in a space whose members want mail; jobs are left to a worker that does not run."""
    server = Server(folder, ATRIO_TASKS__CONSUMER="worker")
    server.sign_in()
    body = {"label": "Mail", "description": "", "access_type": "open", "default_user_role": "reader"}
    space = server.call("POST", "/api/workspaces", body)["workspace_id"]
    note = {"label": "T", "content_type": "thread", "parent_id": None}
    thread = server.call("POST", f"/api/workspaces/{space}/contents", note)["content_id"]
    path = f"/api/workspaces/{space}/contents/{thread}/comments"
    members(folder, space, 1, "individual")
    one = _request(server, path)
    times = []
    for turn in range(7):  # inboxes grow from turn to turn, so each is held against its two neighbours
        members(folder, space, MAILS, "individual" if turn % 2 else "none")
        times.append(_request(server, path))
    server.stop()
    ratio = statistics.median(2 * times[n] / (times[n - 1] + times[n + 1]) for n in (1, 3, 5))
    row(
        "comment: 1,000 who want mail / 1,000 who want none", f"{ratio:.2f}x", "1.1x",
        f"{times[3]:.1f} and {times[2]:.1f} ms; one member {one:.1f} ms: the rest is the inboxes of live",
    )  # fmt: skip


def bench_delivery(folder: Path, row: Row) -> None:
    """A thousand mails of one comment, from the rows to the server, in a process that does nothing else."""
    from atrio.kernel.config import Sources
    from atrio.kernel.host import boot
    from atrio.plugins.mail import services
    from atrio.plugins.mail.delivery import deliver

    members(folder, 1, MAILS, "individual")
    with sink() as port:
        chosen = {
            "storage.data_dir": str(folder), "mail.transport": "smtp", "mail.smtp_host": "127.0.0.1",
            "mail.smtp_port": port, "mail.smtp_security": "none", "log.level": "warning",
        }  # fmt: skip
        kernel = boot(Sources(None, {}, {}, chosen))
        notice = {"kind": "content", "ref": "2", "space_id": 1, "content_id": 2, "revision_id": 2}
        bare: list[float] = []
        ours: list[float] = []
        data = b"Subject: x\r\nFrom: a@b.example\r\n\r\n" + (b"y" * 76 + b"\r\n") * 55
        for turn in range(3):
            bare.append(asyncio.run(_bare(port, data)))
            kernel.run(lambda ctx, turn=turn: services.fan_out(ctx, [{**notice, "ref": f"2{'0' * turn}"}], 1))
            began = time.perf_counter()
            counts = deliver(kernel)
            ours.append(counts["sent"] / (time.perf_counter() - began))
            assert counts["sent"] == MAILS, counts
        kernel.stop()
        kernel.db.close()
    ratio = statistics.median(mine / limit for mine, limit in zip(ours, bare, strict=True))
    row(
        "1,000 mails over a kept connection / bare aiosmtplib", f"{ratio:.2f}", "",
        f"at least 0.50 is the aim; {max(ours):.0f} and {max(bare):.0f} mails/s, 4 KiB each, SQLite, three pairs",
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["sink"]:
        asyncio.run(_sink(int(sys.argv[2])))
    else:
        import tempfile

        with tempfile.TemporaryDirectory() as name:
            bench_requests(Path(name), lambda *words: print(*words, flush=True))
            bench_delivery(Path(name), lambda *words: print(*words, flush=True))
            os.sync()
