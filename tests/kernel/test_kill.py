"""Kill -9 at any moment loses no job, runs none without its commit, and repeats at most the one that ran."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from atrio.kernel.testing.plugin import service_url

pytestmark = pytest.mark.slow
CHILD = Path(__file__).with_name("kill_child.py")
POINTS = ("after the commit", "after the wake-up", "in the handler", "before done")


def _environment(queue: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ATRIO_")}
    if queue == "redis":
        url = service_url("redis_url")
        if url is None:
            pytest.skip("ATRIO_TEST_REDIS_URL is not set")
        env["ATRIO_REDIS_URL"] = url
    return env


def _start(folder: Path, env: dict[str, str], mode: str, point: str = "-") -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(folder), mode, point]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _drain(folder: Path, env: dict[str, str]) -> None:
    child = _start(folder, env, "drain")
    output, _ = child.communicate(timeout=90)
    assert child.returncode == 0
    assert "drained" in output


def _check(folder: Path, kills: int) -> int:
    database = sqlite3.connect(folder / "atrio.db")
    causes = {n for (n,) in database.execute("SELECT n FROM cause")}
    effects = Counter(n for (n,) in database.execute("SELECT n FROM effect"))
    states = Counter(s for (s,) in database.execute("SELECT state FROM kernel_outbox"))
    database.close()
    starts = Counter(int(line) for line in (folder / "starts").read_text().split())
    assert set(effects) == causes, "a job was lost, or ran without its commit"
    assert set(effects.values()) <= {1}, "an effect was committed twice"
    assert set(states) == {"done"}
    repeated = sum(count - 1 for count in starts.values())
    assert repeated <= 2 * kills, "more was repeated than what was running (two threads)"
    return len(causes)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("queue", ["sqlite", "redis"])
def test_killed_in_a_loop(tmp_path: Path, queue: str) -> None:
    env = _environment(queue)
    chance = random.Random(20261125)
    rounds = 15
    for _ in range(rounds):
        (tmp_path / "producing").unlink(missing_ok=True)
        child = _start(tmp_path, env, "produce")
        deadline = time.monotonic() + 30
        while not (tmp_path / "producing").exists() and time.monotonic() < deadline:
            assert child.poll() is None
            time.sleep(0.01)
        time.sleep(chance.uniform(0.02, 0.5))
        child.kill()
        child.communicate()
    _drain(tmp_path, env)
    assert _check(tmp_path, rounds) > rounds


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("queue", ["sqlite", "redis"])
def test_killed_at(tmp_path: Path, queue: str, point: str) -> None:
    env = _environment(queue)
    child = _start(tmp_path, env, "produce", point)
    child.communicate(timeout=60)
    assert child.returncode == -9, "the child did not reach the point"
    _drain(tmp_path, env)
    assert _check(tmp_path, 1) >= 1
