"""Engines and kept connections; what each dialect needs to be safe and fast.

SQLite: WAL, foreign keys, a busy timeout, BEGIN IMMEDIATE for writers behind an in-process queue (a plain
BEGIN answers "database is locked" under concurrent writers), and a lock around the synchronous part of every
unit: sqlite3 gives up the interpreter lock row by row, so parallel readers only slow each other down. Since one
unit runs at a time, all threads share two connections, one that writes and one that reads: what the one keeps in
memory stays right as long as nobody else writes, and prepared statements stay prepared. The other engines have a
connection for each thread.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ..errors import ServiceUnavailable
from .lock import FairLock
from .log import WriteAheadLog


@dataclass
class Kept:
    """A connection that is kept: SQLAlchemy's, and the driver's beneath it."""

    connection: Connection
    raw: Any
    changes: int = 0


class Database:
    """Two engines on one URL: `writer`, and `reader` whose connections refuse to write."""

    def __init__(self, url: str, *, busy_seconds: float = 10.0, fsync: bool = True) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.sqlite = self.dialect == "sqlite"
        self.busy_seconds = busy_seconds
        self._write_lock = FairLock()
        self._run_lock = FairLock()
        self.log: WriteAheadLog | None = None
        if self.sqlite and self.url.database and self.url.database != ":memory:":
            file = Path(self.url.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            self.log = WriteAheadLog(file, self._write_lock, fsync=fsync)
        self.writer = self._engine(read_only=False)
        self.reader = self._engine(read_only=True)
        self._kept: Any = SimpleNamespace() if self.sqlite else threading.local()
        self._all: set[Any] = set()

    def _engine(self, *, read_only: bool) -> Engine:
        # hide_parameters: the values of a failed statement (a hash, a token) belong in no log.
        if self.sqlite:
            # Connections are kept by this class, so a pool would only hold idle ones.
            engine = create_engine(
                self.url,
                poolclass=NullPool,
                hide_parameters=True,
                connect_args={"timeout": self.busy_seconds, "check_same_thread": False},
            )
            event.listen(engine, "connect", _sqlite_reader if read_only else _sqlite_writer)
            return engine
        if self.dialect == "postgresql":
            options = "-c default_transaction_read_only=on" if read_only else ""
            return create_engine(
                self.url, poolclass=NullPool, hide_parameters=True, connect_args={"options": options}
            )
        engine = create_engine(
            self.url.update_query_dict({"charset": "utf8mb4"}),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        )
        if read_only:
            event.listen(engine, "connect", _mysql_reader)
        return engine

    # -- connections ---------------------------------------------------------------------------------------

    def _open(self, writes: bool) -> Kept:
        """Return the connection to use, opening it on first use."""
        name = "writer" if writes else "reader"
        kept: Kept | None = getattr(self._kept, name, None)
        if kept is None or kept.connection.closed:
            connection = (self.writer if writes else self.reader).connect()
            kept = Kept(connection, connection.connection.dbapi_connection)
            setattr(self._kept, name, kept)
            self._all.add(connection)
        return kept

    def _discard(self, kept: Kept) -> None:
        self._forget(kept)
        kept.connection.invalidate()
        kept.connection.close()

    def close_thread(self) -> None:
        """Close what this thread alone kept; threads call it before they end."""
        if self.sqlite:
            return
        for name in ("writer", "reader"):
            kept: Kept | None = getattr(self._kept, name, None)
            if kept is not None:
                self._forget(kept)
                kept.connection.close()

    def _forget(self, kept: Kept) -> None:
        self._all.discard(kept.connection)
        for name in ("writer", "reader"):
            if getattr(self._kept, name, None) is kept:
                setattr(self._kept, name, None)

    def begin(self, writes: bool) -> Kept:
        """Start a transaction on this thread; `end` must follow.

        A writer on SQLite queues for the in-process lock first, then for other processes by BEGIN IMMEDIATE
        (bounded by the busy timeout), and takes the run lock only when it holds the database, so that readers
        never wait behind another process.
        """
        if not self.sqlite:
            return self._open(writes)
        return self._begin_writing() if writes else self._begin_reading()

    def _begin_writing(self) -> Kept:
        self._write_lock.acquire()
        try:
            kept = self._open(True)
            kept.raw.execute("BEGIN IMMEDIATE")
            kept.changes = kept.raw.total_changes
        except sqlite3.OperationalError as error:
            self._write_lock.release()
            raise ServiceUnavailable(f"the database is busy: {error}") from error
        except BaseException:
            self._write_lock.release()
            raise
        self._run_lock.acquire()
        return kept

    def _begin_reading(self) -> Kept:
        self._run_lock.acquire()
        try:
            kept = self._open(False)
            kept.raw.execute("BEGIN")
        except sqlite3.OperationalError as error:
            self._run_lock.release()
            raise ServiceUnavailable(f"the database is busy: {error}") from error
        except BaseException:
            self._run_lock.release()
            raise
        return kept

    def end(
        self, kept: Kept, writes: bool, *, commit: bool, broken: bool = False, durable: bool = True
    ) -> None:  # fmt: skip
        """Commit or roll back, and let the next one in; a connection that is `broken` is thrown away.

        What is `durable` is on the disk afterwards. On SQLite others go on meanwhile, and one call of the disk
        serves all that wait; the other engines see to it by themselves.
        """
        if not self.sqlite:
            self._finish(kept, commit=commit, broken=broken)
            return
        if writes:
            self._run_lock.release()
        try:
            changes = kept.raw.total_changes - kept.changes if writes and commit else 0
            self._finish(kept, commit=commit, broken=broken)
        finally:
            (self._write_lock if writes else self._run_lock).release()
        if changes and self.log is not None:
            self.log.grew(changes)
            if durable:
                self.log.sync()

    def sync(self) -> None:
        """Wait until all that was committed is on the disk, where the engine does not see to it by itself."""
        if self.log is not None:
            self.log.sync()

    def _finish(self, kept: Kept, *, commit: bool, broken: bool) -> None:
        try:
            if not broken:
                _end(kept, commit=commit)
        except DBAPIError as error:
            broken = self.sqlite or error.connection_invalidated or not commit
            raise
        except BaseException:
            broken = True
            raise
        finally:
            if broken:
                self._discard(kept)

    def ping(self) -> None:
        """Raise when the database does not answer."""
        kept = self.begin(False)
        broken = True
        try:
            cursor = kept.raw.cursor()
            cursor.execute("SELECT 1")
            cursor.fetchall()
            cursor.close()
            broken = False
        finally:
            self.end(kept, False, commit=False, broken=broken)

    def close(self) -> None:
        """Close every connection that is kept."""
        if self.log is not None:
            self.log.close()
        for connection in list(self._all):
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()
        self._all.clear()
        self._kept = SimpleNamespace() if self.sqlite else threading.local()
        self.writer.dispose()
        self.reader.dispose()


def _end(kept: Kept, *, commit: bool) -> None:
    connection = kept.connection
    if connection.in_transaction():
        if commit:
            connection.commit()
        else:
            connection.rollback()
    elif commit:
        kept.raw.commit()
    else:
        kept.raw.rollback()


OVERDUE = 16_000
"""Pages of SQLite's log, of 4 KiB each, at which a commit brings them into the file itself."""
MAPPED = 1 << 30
"""Bytes of the file that readers see through the system's cache instead of copying them: a third less for a query
that reads more than its own cache holds, and no memory of the process."""


def _sqlite_common(raw: Any) -> None:
    raw.isolation_level = None  # the driver must not open transactions by itself
    # SQLite's own lower() knows ASCII only: a search for "Été" would not find "Été".
    raw.create_function("lower", 1, _lower, deterministic=True)
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-8000"
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sqlite_writer(raw: Any, _record: Any) -> None:
    _sqlite_common(raw)
    # The log is brought into the file beside the writers; only where that fails for long does a commit do it.
    raw.execute(f"PRAGMA wal_autocheckpoint={OVERDUE}")


def _sqlite_reader(raw: Any, _record: Any) -> None:
    _sqlite_common(raw)
    raw.execute(f"PRAGMA mmap_size={MAPPED}")
    raw.execute("PRAGMA query_only=ON")


def _mysql_reader(raw: Any, _record: Any) -> None:
    cursor = raw.cursor()
    cursor.execute("SET SESSION TRANSACTION READ ONLY")
    cursor.close()
