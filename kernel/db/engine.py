"""Engines and per-thread connections; what each dialect needs to be safe and fast.

SQLite: WAL, foreign keys, a busy timeout, BEGIN IMMEDIATE for writers behind an in-process queue (a plain
BEGIN answers "database is locked" under concurrent writers), and a lock around the synchronous part of every
unit: sqlite3 gives up the interpreter lock row by row, so parallel readers only slow each other down.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ..errors import ServiceUnavailable


class FairLock:
    """A lock that is handed over in the order of arrival.

    threading.Lock lets a running thread overtake waiters; under 16 writers the unlucky one then waits for
    hundreds of milliseconds.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self) -> None:
        """Wait for the lock."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        ticket.acquire()

    def release(self) -> None:
        """Hand the lock to the next in the queue."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


@dataclass
class Kept:
    """A connection kept by one thread: SQLAlchemy's, and the driver's beneath it."""

    connection: Connection
    raw: Any
    lock: Any = None


class Database:
    """Two engines on one URL: `writer`, and `reader` whose connections refuse to write."""

    def __init__(self, url: str, *, busy_seconds: float = 10.0) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.sqlite = self.dialect == "sqlite"
        self.busy_seconds = busy_seconds
        if self.sqlite and self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.writer = self._engine(read_only=False)
        self.reader = self._engine(read_only=True)
        self._local = threading.local()
        self._all: set[Any] = set()
        self._write_lock = FairLock()
        self._run_lock = FairLock()

    def _engine(self, *, read_only: bool) -> Engine:
        # hide_parameters: the values of a failed statement (a hash, a token) belong in no log.
        if self.sqlite:
            # Connections are kept per thread by this class, so a pool would only hold idle ones.
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

    def kept(self, writes: bool) -> Kept:
        """Return this thread's connection, opening it on first use."""
        name = "writer" if writes else "reader"
        kept: Kept | None = getattr(self._local, name, None)
        if kept is None or kept.connection.closed:
            connection = (self.writer if writes else self.reader).connect()
            kept = Kept(connection, connection.connection.dbapi_connection)
            setattr(self._local, name, kept)
            self._all.add(connection)
        return kept

    def discard(self, writes: bool) -> None:
        """Throw this thread's connection away, after an error that broke it."""
        name = "writer" if writes else "reader"
        kept: Kept | None = getattr(self._local, name, None)
        if kept is not None:
            setattr(self._local, name, None)
            self._all.discard(kept.connection)
            kept.connection.invalidate()
            kept.connection.close()

    def close_thread(self) -> None:
        """Close what this thread kept; threads call it before they end."""
        for name in ("writer", "reader"):
            kept: Kept | None = getattr(self._local, name, None)
            if kept is not None:
                setattr(self._local, name, None)
                self._all.discard(kept.connection)
                kept.connection.close()

    def begin(self, writes: bool) -> Kept:
        """Start a transaction on this thread; `end` must follow.

        A writer on SQLite queues for the in-process lock first, then for other processes by BEGIN IMMEDIATE
        (bounded by the busy timeout), and takes the run lock only when it holds the database, so that readers
        never wait behind another process.
        """
        kept = self.kept(writes)
        if not self.sqlite:
            return kept
        if writes:
            self._write_lock.acquire()
        try:
            if writes:
                kept.raw.execute("BEGIN IMMEDIATE")
            self._run_lock.acquire()
            if not writes:
                kept.raw.execute("BEGIN")
        except sqlite3.OperationalError as error:
            if writes:
                self._write_lock.release()
            raise ServiceUnavailable(f"the database is busy: {error}") from error
        except BaseException:
            if writes:
                self._write_lock.release()
            raise
        return kept

    def end(self, kept: Kept, writes: bool, *, commit: bool) -> None:
        """Commit or roll back, and let the next one in."""
        try:
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
        finally:
            if self.sqlite:
                self._run_lock.release()
                if writes:
                    self._write_lock.release()

    def ping(self) -> None:
        """Raise when the database does not answer."""
        kept = self.begin(False)
        try:
            cursor = kept.raw.cursor()
            cursor.execute("SELECT 1")
            cursor.fetchall()
            cursor.close()
        except Exception:
            self.end(kept, False, commit=False)
            self.discard(False)
            raise
        self.end(kept, False, commit=False)

    def close(self) -> None:
        """Close every connection that threads kept."""
        for connection in list(self._all):
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()
        self._all.clear()
        self._local = threading.local()
        self.writer.dispose()
        self.reader.dispose()


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


def _sqlite_reader(raw: Any, _record: Any) -> None:
    _sqlite_common(raw)
    raw.execute(f"PRAGMA mmap_size={MAPPED}")
    raw.execute("PRAGMA query_only=ON")


def _mysql_reader(raw: Any, _record: Any) -> None:
    cursor = raw.cursor()
    cursor.execute("SET SESSION TRANSACTION READ ONLY")
    cursor.close()
