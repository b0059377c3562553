"""A real server that is killed while it sends: nothing is lost, and only the mail in its hand may come twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from atrio.kernel.testing.plugin import make_kernel
from atrio.plugins.mail import services

from .servers import smtp_server

MANY = 60


def command(folder: Path, port: int, *words: str) -> subprocess.Popen:
    env = {
        **os.environ, "ATRIO_DATA_DIR": str(folder), "ATRIO_MAIL__TRANSPORT": "smtp", "ATRIO_MAIL__SMTP_HOST": "127.0.0.1",
        "ATRIO_MAIL__SMTP_PORT": str(port), "ATRIO_MAIL__SMTP_SECURITY": "none",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "atrio.kernel.cli", *words], env=env, cwd=folder)


def queued(folder: Path) -> None:
    """Make an instance with a mail for each of many people."""
    kernel = make_kernel(folder, {"mail__transport": "smtp"})

    def fill(ctx):
        from sqlalchemy import text

        for n in range(MANY):
            ctx.execute(
                text(
                    "INSERT INTO accounts_user (email, public_name, profile, auth_type, timezone, allowed_space, is_active,"
                    " is_deleted, has_cover, created, creation_type, version)"
                    " VALUES (:e, 'x', 1, 'internal', '', 0, 1, 0, 0, 0, 'cli', 0)"
                ),
                {"e": f"u{n}@example.org"},
            )
        notices = [
            {"kind": "welcome", "ref": "welcome", "user_id": row[0]}
            for row in ctx.execute(text("SELECT user_id FROM accounts_user WHERE email LIKE 'u%'"))
        ]  # fmt: skip
        services.fan_out(ctx, notices, None)

    kernel.run(fill)
    kernel.stop()
    kernel.db.close()


@pytest.mark.slow
def test_a_killed_sender_loses_nothing_and_doubles_one_mail_at_most(tmp_path: Path):
    queued(tmp_path)
    with smtp_server() as sink:
        sink.pause = 0.02
        for kill_at in (15, 35):
            process = command(tmp_path, sink.port, "mail", "queue", "send")
            end = time.monotonic() + 30
            while len(sink.mails) < kill_at and time.monotonic() < end:
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            assert MANY > len(sink.mails) >= kill_at
        process = command(tmp_path, sink.port, "mail", "queue", "send")
        assert process.wait(60) == 0
    got = Counter(str(m["To"].addresses[0].addr_spec) for m in sink.mails)
    assert len(got) == MANY
    twice = [name for name, n in got.items() if n > 1]
    assert len(twice) <= 2, "one for each kill"
    for name in twice:
        assert len({m["Message-ID"] for m in sink.mails if name in str(m["To"])}) == 1
    states = sqlite3.connect(tmp_path / "atrio.db").execute("SELECT DISTINCT state FROM mail_outgoing").fetchall()
    assert states == [("sent",)]


@pytest.mark.slow
def test_processes_that_send_at_the_same_time_share_the_work(tmp_path: Path):
    queued(tmp_path)
    with smtp_server() as sink:
        sink.pause = 0.02
        processes = [command(tmp_path, sink.port, "mail", "queue", "send") for _ in range(3)]
        assert [p.wait(60) for p in processes] == [0, 0, 0]
    got = Counter(str(m["To"].addresses[0].addr_spec) for m in sink.mails)
    assert len(got) == MANY
    assert set(got.values()) == {1}
