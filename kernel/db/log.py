"""SQLite's log on its way to the disk, and into the database's file."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from .lock import FairLock

log = logging.getLogger("atrio.db")
DUE = 1000
"""Changed rows after which the log is brought into the file; a commit counts as ten more."""


class WriteAheadLog:
    """What a unit of work leaves to be done after its commit, when the next one may already write.

    With synchronous=NORMAL SQLite syncs its log at checkpoints alone, and with FULL in each commit, while others
    wait for the lock. Here whoever has committed waits until the log was synced after that; those who come while a
    sync runs share the next one. SQLite's own checkpoint is made by an unlucky commit, which syncs log and file
    and lets writers wait; here a thread makes it beside them, and takes their lock for the rest alone.
    """

    def __init__(self, database: Path, writers: FairLock, *, fsync: bool = True) -> None:
        """Take the file, the lock of those who write in this process, and whether to wait for the disk."""
        self._database = str(database)
        self._path = f"{database}-wal"
        self._folder = str(database.parent)
        self._writers = writers
        self._fsync = fsync
        self._named = False
        self._turn = threading.Condition()
        self._asked = 0
        self._synced = 0
        self._busy = False
        self._grown = 0
        self._due = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def sync(self) -> None:
        """Wait until all that was committed before this call is on the disk; OSError where the disk refuses."""
        if not self._fsync:
            return
        with self._turn:
            self._asked += 1
            mine = self._asked
            while self._synced < mine and self._busy:
                self._turn.wait()
            if self._synced >= mine:
                return
            self._busy = True
            covers = self._asked
        try:
            self._write_out()
        except BaseException:
            covers = 0
            raise
        finally:
            with self._turn:
                self._busy = False
                self._synced = max(self._synced, covers)
                self._turn.notify_all()

    def _write_out(self) -> None:
        # SQLite's locks are on other files: to close this one here lets none of them go.
        try:
            _sync(self._path, getattr(os, "fdatasync", os.fsync))
        except FileNotFoundError:  # the last connection is closed, which brought all into the file
            return
        if not self._named:
            _sync(self._folder, os.fsync)
            self._named = True

    # -- into the file -------------------------------------------------------------------------------------

    def grew(self, changes: int) -> None:
        """Count the rows that a commit has changed; once there are enough of them the log is brought in."""
        with self._turn:
            self._grown += changes + 10
            if self._grown < DUE or self._ended:
                return
            self._grown = 0
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
                self._thread.start()
        self._due.set()

    def close(self) -> None:
        """End the thread."""
        with self._turn:
            thread, self._thread, self._ended = self._thread, None, True
        self._due.set()
        if thread is not None:
            thread.join(10)
        with self._turn:
            self._ended = False
            self._due.clear()

    def _run(self) -> None:
        connection = sqlite3.connect(self._database, timeout=0.05, isolation_level=None)
        try:
            while self._due.wait() and not self._ended:
                self._due.clear()
                try:
                    self._bring_in(connection)
                except sqlite3.Error as error:
                    log.warning("the log of the database stays as it is for now: %s", error)
        finally:
            connection.close()

    def _bring_in(self, connection: sqlite3.Connection) -> None:
        """Copy what was committed into the file, and what came meanwhile while nobody writes.

        The log begins anew with the first write that finds nothing left to copy: without the second step, and many
        writers, that would never be.
        """
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._writers.acquire()
        try:
            # FULL, as other processes may write; it waits for them and for readers as long as the timeout says.
            connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        finally:
            self._writers.release()


def _sync(path: str, wait: Callable[[int], None]) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        wait(handle)
    finally:
        os.close(handle)
