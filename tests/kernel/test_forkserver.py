"""Children that are forked: the same answers and failures as in a sandbox that is started for each call."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atrio.kernel.forkserver import ForkServer
from atrio.kernel.sandbox import REQUEST, Limits, SandboxFailed

HERE = Path(__file__).parent
SMALL = Limits(memory_mib=256, cpu_seconds=2, wall_seconds=8, file_mib=4, answer_bytes=1 << 20)
SHORT = Limits(memory_mib=256, cpu_seconds=20, wall_seconds=1, file_mib=4, answer_bytes=1 << 20)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / "samples"))
    server = ForkServer(["sandboxed_functions", "wsgiref.types"])
    yield server
    server.close()


def call(server, name, limits=SMALL, folder=None, **arguments):
    return server.run(f"sandboxed_functions:{name}", arguments, limits, folder=folder)


def test_an_answer_comes_back_as_it_was(server):
    value = {"text": "Ünïcode 😀", "none": None, "list": [1, 2.5, True], "long": "x" * 20_000}
    assert call(server, "echo", **value) == value


def test_children_are_many_and_their_parent_is_one(server):
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: server.run("os:getpid", {}), range(12)))
        parents = set(pool.map(lambda _: server.run("os:getppid", {}), range(4)))
    assert len(set(numbers)) == 12
    assert len(parents) == 1
    assert os.getpid() not in parents | set(numbers)


def test_a_child_has_nothing_of_ours(server, monkeypatch, tmp_path):
    monkeypatch.setenv("ATRIO_SECRET", "x")
    seen = call(server, "surroundings", folder=tmp_path)
    assert "ATRIO_SECRET" not in seen["environment"]
    assert len(seen["open"]) <= 5
    assert seen["nice"] >= 10
    assert seen["atrio"] == []
    assert server.run("os:getcwd", {}, folder=tmp_path) == str(tmp_path)


def test_a_request_may_be_as_long_as_in_a_sandbox(server):
    value = {"text": "x" * (REQUEST - 2000)}
    with ThreadPoolExecutor(4) as pool:
        assert all(answer == value for answer in pool.map(lambda _: call(server, "echo", **value), range(8)))
    with pytest.raises(ValueError, match="at most"):
        call(server, "echo", text="x" * REQUEST)


def test_modules_rehearse_once_before_the_first_fork(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / "samples"))
    server = ForkServer(["rehearsing", "rehearsing_badly"])
    try:
        first, second = (server.run("rehearsing:rehearsals", {}) for _ in range(2))
        assert first == second == [server.run("os:getppid", {})]
        assert server.run("rehearsing_badly:told", {}) == "well"
    finally:
        server.close()


def test_failures(server):
    with pytest.raises(SandboxFailed) as caught:
        server.run("json:loads", {"s": "{"}, SMALL)
    assert (caught.value.reason, caught.value.kind) == ("error", "JSONDecodeError")
    with pytest.raises(SandboxFailed) as caught:
        server.run("subprocess:getoutput", {"cmd": "sleep 9"}, Limits(wall_seconds=0.3, processes=True))
    assert caught.value.reason == "time"
    with pytest.raises(SandboxFailed) as caught:
        server.run("signal:pause", {}, Limits(wall_seconds=0.3))
    assert caught.value.reason in ("time", "died", "error")
    with pytest.raises(SandboxFailed) as caught:
        server.run("os:abort", {}, SMALL)
    assert caught.value.reason == "died"
    assert call(server, "echo", still="there") == {"still": "there"}


def test_a_killed_server_is_started_anew(server):
    os.kill(server.run("os:getppid", {}), signal.SIGKILL)
    assert call(server, "echo", a=1) == {"a": 1}


def test_where_it_cannot_fork_a_sandbox_is_started(server):
    server._usable = False
    assert call(server, "echo", a=1) == {"a": 1}
    assert server._process is None
