"""SQLite's log is on the disk before a write is answered, and one call of the disk serves all that wait."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.db.engine import Database
from atrio.kernel.db.lock import FairLock
from atrio.kernel.db.log import WriteAheadLog
from atrio.kernel.events import Event
from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import make_kernel


class Disk:
    """Notes what is brought to the disk; while `gate` is closed it does not answer."""

    def __init__(self) -> None:
        self.synced: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def sync(self, handle: int) -> None:
        """Stand in for the system's call."""
        self.synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        assert self.gate.wait(20)
        if self.broken:
            raise OSError(5, "Input/output error")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr("os.fdatasync", made.sync)
    monkeypatch.setattr("os.fsync", made.sync)
    return made


@pytest.fixture
def durable(tmp_path: Path, disk: Disk) -> Iterator[Kernel]:
    """A kernel that waits for the disk."""
    kernel = make_kernel(tmp_path, {"database__fsync": True})
    kernel.run(lambda ctx: ctx.execute(text("CREATE TABLE thing (number INTEGER)")))
    disk.synced.clear()
    yield kernel
    kernel.stop()
    kernel.app.pool.close()


def add(number: int) -> Any:
    return lambda ctx: ctx.execute(text(f"INSERT INTO thing VALUES ({number})"))


def test_a_write_waits_for_the_disk(durable: Kernel, disk: Disk) -> None:
    heard: list[list[str]] = []
    durable.run(lambda ctx: (add(1)(ctx), ctx.later(lambda kernel: heard.append(list(disk.synced)))))
    assert disk.synced == ["atrio.db-wal"]
    assert heard == [["atrio.db-wal"]], "nobody is told before"


def test_what_wrote_nothing_waits_for_nothing(durable: Kernel, disk: Disk) -> None:
    durable.run(lambda ctx: ctx.execute(text("SELECT count(*) FROM thing")).scalar(), writes=False)
    durable.run(lambda ctx: ctx.execute(text("SELECT count(*) FROM thing")).scalar())
    with pytest.raises(ZeroDivisionError):
        durable.run(lambda ctx: (add(1)(ctx), 1 / 0))
    durable.run(add(2), durable=False)
    assert disk.synced == []
    durable.db.sync()
    assert disk.synced == ["atrio.db-wal"]


def test_what_tells_of_an_event_is_durable(durable: Kernel, disk: Disk) -> None:
    durable.run(lambda ctx: (add(1)(ctx), ctx.emit(Event())), durable=False)
    assert disk.synced == ["atrio.db-wal"]


def test_one_sync_serves_all_that_wait(durable: Kernel, disk: Disk) -> None:
    log = durable.db.log
    assert log is not None
    before = log._asked
    disk.gate.clear()
    first = threading.Thread(target=durable.run, args=(add(1),))
    first.start()
    wait_until(lambda: disk.synced)
    others = [threading.Thread(target=durable.run, args=(add(n),)) for n in range(2, 10)]
    for thread in others:
        thread.start()
    wait_until(lambda: log._asked == before + 9)
    assert durable.run(count, writes=False) == 9, "readers see what is on its way, and do not wait"
    disk.gate.set()
    for thread in (first, *others):
        thread.join(20)
        assert not thread.is_alive()
    assert disk.synced == ["atrio.db-wal"] * 2


def wait_until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def count(ctx: Any) -> Any:
    return ctx.execute(text("SELECT count(*) FROM thing")).scalar()


def test_a_disk_that_refuses_is_told(durable: Kernel, disk: Disk) -> None:
    disk.broken = True
    with pytest.raises(OSError, match="Input/output"):
        durable.run(add(1))
    disk.broken = False
    durable.run(add(2))
    assert durable.run(count, writes=False) == 2


def test_a_new_log_has_its_name_on_the_disk(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "a.db-wal").touch()
    log = WriteAheadLog(tmp_path / "a.db", FairLock())
    log.sync()
    log.sync()
    assert disk.synced == ["a.db-wal", tmp_path.name, "a.db-wal"]


def test_whoever_does_not_want_it_does_without(tmp_path: Path, disk: Disk) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db", fsync=False)
    kept = database.begin(True)
    kept.raw.execute("CREATE TABLE thing (number INTEGER)")
    kept.raw.execute("INSERT INTO thing VALUES (1)")
    database.end(kept, True, commit=True)
    database.close()
    assert disk.synced == []


def test_a_log_that_is_gone_was_brought_in(tmp_path: Path, disk: Disk) -> None:
    WriteAheadLog(tmp_path / "a.db", FairLock()).sync()
    assert disk.synced == []


# -- into the file -------------------------------------------------------------------------------------------


def test_the_log_is_brought_into_the_file_and_begins_anew(durable: Kernel, disk: Disk, tmp_path: Path) -> None:
    for number in range(400):
        durable.run(add(number))
    log = durable.db.log
    assert log is not None
    wait_until(lambda: not log._due.is_set())
    size = (tmp_path / "atrio.db-wal").stat().st_size
    for number in range(2000):
        durable.run(add(number), durable=False)
    assert (tmp_path / "atrio.db-wal").stat().st_size < size + 2000 * 4096 / 2, "its pages are used again"
    plain = sqlite3.connect(f"file:{tmp_path}/atrio.db?immutable=1", uri=True)  # the file without its log
    assert plain.execute("SELECT count(*) FROM thing").fetchone()[0] > 1000
    plain.close()


def test_closing_ends_the_thread_and_it_may_begin_again(durable: Kernel) -> None:
    log = durable.db.log
    assert log is not None
    log.grew(5000)
    thread = log._thread
    assert thread is not None
    assert thread.is_alive()
    log.close()
    assert not thread.is_alive()
    log.grew(5000)
    assert log._thread is not None
    log.close()


# -- one connection for all threads --------------------------------------------------------------------------


def test_threads_share_their_connections(kernel: Kernel) -> None:
    if not kernel.db.sqlite:
        pytest.skip("the other engines have a connection for each thread")
    seen: list[Any] = []

    def look(writes: bool) -> None:
        kernel.run(lambda ctx: seen.append(ctx.kept), writes=writes)

    for writes in (True, False) * 2:
        thread = threading.Thread(target=look, args=(writes,))
        thread.start()
        thread.join()
    assert seen[0] is seen[2]
    assert seen[1] is seen[3]
    assert seen[0] is not seen[1]


def test_a_commit_that_fails_leaves_a_clean_connection(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.kernel.db import engine

    if not kernel.db.sqlite:
        pytest.skip("one connection for all is SQLite's")
    kernel.run(lambda ctx: ctx.execute(text("CREATE TABLE thing (number INTEGER)")))
    end = engine._end

    def fail(kept: Any, *, commit: bool) -> None:
        if commit:
            raise OSError("no")
        end(kept, commit=commit)

    monkeypatch.setattr(engine, "_end", fail)
    with pytest.raises(OSError, match="no"):
        kernel.run(add(1))
    monkeypatch.setattr(engine, "_end", end)
    kernel.run(add(2))
    assert kernel.run(count, writes=False) == 1, "what was not committed is gone, and the next one begins anew"
