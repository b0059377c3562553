"""The queue of wake-ups: in memory where this process reads, in the file what others read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from atrio.kernel import jobs
from atrio.kernel.config import Sources
from atrio.kernel.db import statement
from atrio.kernel.host import Kernel, boot
from atrio.kernel.tasks import Task


@pytest.fixture
def boot_here(tmp_path: Path) -> Iterator[Callable[[], Kernel]]:
    """Boot instances on one folder."""
    booted: list[Kernel] = []
    seen: list[Any] = []

    def make() -> Kernel:
        kernel = boot(
            Sources(None, {}, {}, {"storage.data_dir": str(tmp_path), "accounts.admin_password": "long-enough"})
        )
        kernel.jobs.declare(None, Task("kernel.seen", lambda ctx, n: seen.append((kernel, n))))
        kernel.seen = seen  # type: ignore[attr-defined]
        booted.append(kernel)
        return kernel

    yield make
    for kernel in booted:
        kernel.stop()


def in_file(kernel: Kernel) -> int:
    return int(kernel.jobs.wake_ups().huey.storage.queue_size())


def wait_until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def start(kernel: Kernel) -> None:
    """Start a kernel and wait until its first sweep is over, so that nothing else wakes jobs."""
    swept = threading.Event()
    sweep = kernel.jobs.sweep

    def noted() -> int:
        found = sweep()
        swept.set()
        return found

    kernel.jobs.sweep = noted  # type: ignore[method-assign]
    kernel.start(consume=True)
    assert swept.wait(15)


def test_a_wake_up_of_this_process_stays_in_it(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = boot_here()
    start(kernel)
    storage = kernel.jobs.wake_ups().huey.storage
    file: list[Any] = []
    monkeypatch.setattr(type(storage).__base__, "enqueue", lambda *given: file.append(given))
    kernel.run(lambda ctx: ctx.defer("kernel.seen", n=1))
    wait_until(lambda: kernel.seen)
    assert kernel.seen == [(kernel, 1)]
    assert file == []


def test_what_another_process_puts_into_the_file_is_run_at_once(boot_here: Any) -> None:
    server, command = boot_here(), boot_here()
    start(server)
    server.jobs.sweep = lambda: 0
    command.run(lambda ctx: ctx.defer("kernel.seen", n=2))
    wait_until(lambda: server.seen)
    assert server.seen == [(server, 2)]
    assert in_file(server) == 0


def test_a_command_line_writes_to_the_file(boot_here: Any) -> None:
    kernel = boot_here()
    kernel.run(lambda ctx: ctx.defer("kernel.seen", n=3))
    assert in_file(kernel) == 1
    assert kernel.seen == []


def test_what_was_not_begun_is_left_to_the_next_process(boot_here: Any) -> None:
    kernel = boot_here()
    storage = kernel.jobs.wake_ups().huey.storage
    storage.read_here()  # and nobody does
    storage.enqueue(b"1")
    storage.enqueue(b"2")
    assert in_file(kernel) == 0
    storage.wake()
    storage.enqueue(b"3")
    assert [bytes(data) for data in storage.enqueued_items()] == [b"1", b"2", b"3"]


def test_readers_look_at_the_file_one_at_a_time(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = boot_here().jobs.wake_ups().huey.storage
    looks: list[float] = []
    monkeypatch.setattr(type(storage).__base__, "dequeue", lambda self: looks.append(time.monotonic()))
    storage.read_here()
    end = time.monotonic() + 1

    def read() -> None:
        while time.monotonic() < end:
            storage.dequeue()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for thread in readers:
        thread.start()
    for thread in readers:
        thread.join(15)
    assert 2 <= len(looks) <= 11, "ten times a second, however many readers there are"


# -- jobs that are leased by the process that writes them ------------------------------------------------------


def row(kernel: Kernel, name: str = "kernel.seen") -> Any:
    table = jobs.OutboxJob.__table__
    return kernel.run(lambda ctx: ctx.execute(select(table).where(table.c.job == name)).one(), writes=False)


def hold(kernel: Kernel, n: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Start a kernel whose wake-ups get lost, and let it write a job; returns its id."""
    start(kernel)
    monkeypatch.setattr(kernel.jobs, "enqueue", lambda ids, delay_seconds=0: None)
    kernel.run(lambda ctx: ctx.defer("kernel.seen", n=n))
    return str(row(kernel).id)


def due(kernel: Kernel) -> list[str]:
    return kernel.run(lambda ctx: jobs.due_ids(ctx, []))


def test_a_job_is_leased_with_its_row(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = boot_here()
    job = hold(kernel, 5, monkeypatch)
    found = row(kernel)
    assert (found.state, found.attempt, found.holder) == ("leased", 1, jobs.holder())
    assert found.leased_until == found.created + 300 * jobs.SECOND
    seen: list[str] = []
    monkeypatch.setattr(statement, "watchers", [seen.append])
    assert kernel.jobs.run(job) == "done"
    assert [text.split()[0] for text in seen] == ["UPDATE"], "it is marked as done, and that is all"
    assert row(kernel).state == "done"
    assert kernel.jobs.run(job) == "not due"
    assert kernel.seen == [(kernel, 5)]


def test_what_is_due_later_and_what_other_processes_run_is_not_leased(
    boot_here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = boot_here()
    kernel.run(lambda ctx: ctx.defer("kernel.seen", n=1))
    assert (row(kernel).state, row(kernel).holder) == ("pending", None), "it runs no jobs"
    start(kernel)
    wait_until(lambda: kernel.seen)
    kernel.run(lambda ctx: ctx.execute(delete(jobs.OutboxJob)))
    kernel.run(lambda ctx: ctx.defer("kernel.seen", n=2, delay_seconds=60))
    assert (row(kernel).state, row(kernel).holder) == ("pending", None)


def test_what_was_not_begun_is_given_back(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = boot_here()
    hold(kernel, 6, monkeypatch)
    kernel.stop()
    found = row(kernel)
    assert (found.state, found.attempt, found.holder, found.leased_until) == ("pending", 0, None, None)
    other = boot_here()
    other.start(consume=True)
    wait_until(lambda: other.seen)
    assert row(other).attempt == 1


def test_a_database_that_is_gone_does_not_keep_a_server_from_stopping(
    boot_here: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = boot_here()
    hold(kernel, 6, monkeypatch)
    monkeypatch.setattr(jobs, "free", lambda ctx, ids: 1 / 0)
    kernel.stop()
    assert kernel.jobs.wake_ups().consumer is None, "its threads have ended"
    assert "job(s) wait until their lease has run out" in caplog.text
    assert row(kernel).state == "leased"


def test_a_lease_that_ran_out_is_taken_over_once(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, other = boot_here(), boot_here()
    job = hold(kernel, 7, monkeypatch)
    assert job not in due(other), "its process lives"
    later = time.time_ns() // 1000 + 301 * jobs.SECOND
    monkeypatch.setattr(type(kernel.clock), "now", lambda self: later)
    assert job in due(other)
    assert other.jobs.run(job) == "done"
    assert kernel.jobs.run(job) == "lost"
    assert kernel.seen == [(other, 7)]


def test_a_job_that_waited_for_long_keeps_its_lease(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = boot_here()
    job = hold(kernel, 8, monkeypatch)
    later = time.time_ns() // 1000 + 200 * jobs.SECOND
    monkeypatch.setattr(type(kernel.clock), "now", lambda self: later)
    until: list[int] = []
    attempt = kernel.jobs._attempt
    monkeypatch.setattr(
        kernel.jobs, "_attempt", lambda *given: (until.append(row(kernel).leased_until), attempt(*given))[1]
    )
    assert kernel.jobs.run(job) == "done"
    assert until == [later + 300 * jobs.SECOND]


def test_many_held_jobs_hide_nothing_from_the_sweep(boot_here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = boot_here()
    start(kernel)
    monkeypatch.setattr(kernel.jobs, "enqueue", lambda ids, delay_seconds=0: None)
    kernel.run(lambda ctx: [ctx.defer("kernel.seen", n=n) for n in range(600)] and None)
    kernel.run(
        lambda ctx: jobs.insert_jobs(
            ctx, [{**ROW, "id": jobs.new_id(), "available": ctx.now, "created": ctx.now}]
        )
    )  # fmt: skip
    assert kernel.jobs.sweep() == 1


def test_a_unit_that_fails_leaves_nothing_held(boot_here: Any) -> None:
    kernel = boot_here()
    start(kernel)
    with pytest.raises(ZeroDivisionError):
        kernel.run(lambda ctx: (ctx.defer("kernel.seen", n=1), 1 / 0))
    assert kernel.jobs._held == {}
    assert kernel.seen == []


ROW = {
    "job": "kernel.seen", "event": None, "payload": '{"n":9}', "facts": "{}", "state": "pending", "attempt": 0,
    "holder": None, "leased_until": None,
}  # fmt: skip
