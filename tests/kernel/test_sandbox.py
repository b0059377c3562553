"""Functions in a child: the good ones answer, no bad one harms this process or outlives its time."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from atrio.kernel.sandbox import Limits, SandboxFailed, run

HERE = Path(__file__).parent
SMALL = Limits(memory_mib=256, cpu_seconds=2, wall_seconds=8, file_mib=4, answer_bytes=1 << 20)
SHORT = Limits(memory_mib=256, cpu_seconds=20, wall_seconds=1, file_mib=4, answer_bytes=1 << 20)


@pytest.fixture(autouse=True)
def _samples(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE / "samples"))


def call(name, limits=SMALL, folder=None, **arguments):
    return run(f"sandboxed_functions:{name}", arguments, limits, folder=folder)


def fails(name, limits=SMALL, folder=None, **arguments):
    with pytest.raises(SandboxFailed) as caught:
        call(name, limits, folder, **arguments)
    return caught.value


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")


def gone(pids):
    for _ in range(200):
        if not any(alive(p) for p in pids):
            return True
        time.sleep(0.02)
    return False


def test_an_answer_comes_back_as_it_was():
    value = {"text": "Ünïcode 😀", "none": None, "list": [1, 2.5, True]}
    assert call("echo", **value) == value


def test_the_child_has_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("ATRIO_SECRET", "x")
    with open(os.devnull) as ours:
        os.set_inheritable(ours.fileno(), True)
        seen = call("surroundings")
    assert "ATRIO_SECRET" not in seen["environment"]
    assert not [name for name in seen["environment"] if name != "LC_CTYPE"]
    assert len(seen["open"]) <= 5  # nothing thrice, the answer, the listing itself
    assert seen["nice"] >= 10
    assert seen["group"]
    assert seen["core"] == 0
    assert seen["atrio"] == []


def test_the_packages_around_a_module_are_not_run():
    found = run("atrio.kernel.text:fold", {"text": "Ärger"}, SMALL)
    assert found == "arger"
    modules = run("sandboxed_functions:surroundings", {}, SMALL, modules=("atrio.kernel.text",))["atrio"]
    assert modules == ["atrio", "atrio.kernel"]


def test_no_such_module_and_too_long_a_request():
    with pytest.raises(ValueError, match="no module"):
        run("nowhere.at.all:function", {})
    with pytest.raises(ValueError, match="at most"):
        call("echo", text="x" * 100_000)
    assert fails("no_such_function").kind == "AttributeError"


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("loop", Limits(memory_mib=256, cpu_seconds=1, wall_seconds=20), "time"),
        ("loop", SHORT, "time"),
        ("sleep", SHORT, "time"),
        ("rubbish", SHORT, ("time", "size")),
        ("eat", SMALL, "memory"),
        ("answer_without_end", SMALL, "size"),
        ("leave", SMALL, "error"),
        ("unreadable", SMALL, "error"),
        ("raise_unprintable", SMALL, "error"),
        ("recurse", SMALL, "error"),
        ("deep", SMALL, "error"),
    ],
)
def test_what_fails_says_how(name, limits, reason):
    assert fails(name, limits).reason in reason


def test_memory_that_ran_out_unseen_does_no_harm():
    assert call("eat_and_hide") == "there was no more"


def test_an_exception_is_told_by_name_and_cut():
    error = fails("raise_it", text="ä" * 5000)
    assert (error.reason, error.kind) == ("error", "ValueError")
    assert len(error.detail) == 300


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
def test_death_by_a_signal(number):
    error = fails("signal_myself", number=int(number))
    assert (error.reason, error.detail) == ("died", f"ended by signal {int(number)}")


def test_a_child_that_leaves_without_a_word():
    assert fails("end", status=0).reason == "died"
    assert fails("end", status=3).detail == "ended with status 3"


def test_prints_are_no_answer():
    assert call("chatter") == "quiet"


@pytest.mark.parametrize("name", ["start_others", "start_others_and_die"])
def test_what_a_child_started_ends_with_it(tmp_path, name):
    limits = Limits(memory_mib=256, wall_seconds=8, processes=True)
    pids = tmp_path / "pids"
    if name == "start_others":
        assert call(name, limits, pids=str(pids)) == "started"
    else:
        assert fails(name, limits, pids=str(pids)).reason == "died"
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 3
    assert gone(started)


def test_no_process_without_leave(tmp_path):
    assert call("surroundings")["processes"] == 0
    if os.geteuid() != 0:  # the superuser may start as many as he likes
        assert fails("start_others", pids=str(tmp_path / "pids")).kind == "BlockingIOError"


def test_files_are_left_in_the_folder(tmp_path):
    assert call("leave_file", folder=tmp_path, text="kept") is None
    assert (tmp_path / "made.txt").read_text() == "kept"


@pytest.mark.parametrize("name", ["write_without_end", "write_many"])
def test_a_folder_does_not_grow_without_end(tmp_path, name):
    assert fails(name, folder=tmp_path).reason == "size"
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) < 64 << 20


def test_children_at_once_and_none_left():
    found = []

    def one(number):
        found.append(call("echo", number=number)["number"] if number % 2 else fails("end", status=1).reason)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    before = len(os.listdir("/proc/self/fd"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == ["1", "3", "5", "7", "died", "died", "died", "died"]
    assert len(os.listdir("/proc/self/fd")) == before
