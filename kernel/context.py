"""Context: the only ambient object. It carries the unit of work, the actor, the settings and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import BootError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Result
    from sqlalchemy.orm import Session

    from .config import Config
    from .db.engine import Kept
    from .events import Event
    from .host import Kernel


@dataclass(frozen=True)
class Actor:
    """Who acts. `id` is None for strangers and for the system itself; `data` belongs to the authenticator."""

    id: int | None = None
    kind: str = "anonymous"
    data: Any = None
    via: str = ""

    @property
    def anonymous(self) -> bool:
        """True when nobody signed in."""
        return self.kind == "anonymous"

    @property
    def shown_id(self) -> int | None:
        """The user who is named to others as the one who acts; nobody for a guest who acts in a user's name."""
        return None if self.kind == "guest" else self.id

    @property
    def system(self) -> bool:
        """True for the command line, jobs and boot: guards let it pass."""
        return self.kind == "system"


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system")


class Clock:
    """The time source; tests replace it."""

    def now(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return time.time_ns() // 1000


@dataclass
class Context:
    """One unit of work seen from inside.

    `session` and `execute` open the transaction on first use. `emit` queues an event that is handled in the
    phases of the commit. `resources` holds what guards loaded. `untagged` keeps the ETag off the answer: what
    was stored is not what was sent. What is not `durable` may be lost with the power, and is then done again.
    """

    kernel: Kernel
    writes: bool
    actor: Actor = ANONYMOUS
    request_id: str = ""
    client_token: str | None = None
    resources: dict[str, Any] = field(default_factory=dict)
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    deferred: list[tuple[str, dict[str, Any], int | None]] = field(default_factory=list)
    job_attempt: int = 0
    untagged: bool = False
    durable: bool = True
    _kept: Kept | None = None
    _session: Session | None = None
    _later: list[Callable[[Kernel], None]] = field(default_factory=list)
    _seen: int = 0
    _points: int = 0
    _wrote: bool = False
    _closed: bool = False

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.kernel.config

    @property
    def now(self) -> int:
        """Microseconds since the epoch, UTC."""
        return self.kernel.clock.now()

    @property
    def dialect(self) -> str:
        """The name of the database engine: sqlite, postgresql, mariadb or mysql."""
        return self.kernel.db.writer.dialect.name

    @property
    def kept(self) -> Kept:
        """This thread's connection inside the transaction of this unit."""
        if self._kept is None:
            if self._closed:
                raise BootError("the unit of work is closed")
            self._kept = self.kernel.db.begin(self.writes)
        return self._kept

    @property
    def connection(self) -> Connection:
        """The SQLAlchemy connection; pending ORM objects are flushed first."""
        if self._session is not None and (self._session.new or self._session.dirty or self._session.deleted):
            self._session.flush()
        return self.kept.connection

    @property
    def session(self) -> Session:
        """An ORM session on the unit's connection; only the unit commits."""
        if self._session is None:
            from sqlalchemy.orm import Session

            self._session = Session(
                bind=self.kept.connection, expire_on_commit=False, join_transaction_mode="control_fully"
            )
        return self._session

    def execute(self, statement: Executable, params: Any = None) -> Result[Any]:
        """Run a Core statement in the unit's transaction."""
        self._wrote = self._wrote or not statement.is_select
        return self.connection.execute(statement, params)

    def emit(self, event: Event) -> None:
        """Queue an event; it is heard only if the unit commits."""
        if not self.writes:
            raise BootError(f"a reading unit of work cannot emit {event.name}")
        self.events.append(event)

    def defer(self, task: str, *, delay_seconds: int | None = None, **arguments: Any) -> None:
        """Queue a declared task durably: its row is written by this unit and runs after the commit."""
        if not self.writes:
            raise BootError(f"a reading unit of work cannot defer {task}")
        self.deferred.append((task, arguments, delay_seconds))

    def later(self, call: Callable[[Kernel], None]) -> None:
        """Run a call after this unit has closed, in a unit of its own (renewing a session in a GET)."""
        self._later.append(call)

    def cancel_later(self) -> None:
        """Forget the calls that were to run after this unit."""
        self._later.clear()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Nest: an exception inside undoes what was written inside and goes on upwards.

        ORM objects that were added inside and never flushed are forgotten too.
        """
        if self._session is not None:
            with self._session.begin_nested():
                yield
            return
        from sqlalchemy.exc import DBAPIError

        from .db.statement import run_plain

        self._points += 1
        name = f"atrio_{self._points}"
        run_plain(self, f"SAVEPOINT {name}")
        try:
            yield
            self._flush()
        except BaseException as error:
            self._forget()
            try:
                run_plain(self, f"ROLLBACK TO SAVEPOINT {name}")
            except DBAPIError:
                if not isinstance(error, DBAPIError):
                    raise
                # The database has undone more than this (a deadlock), or is gone: that is what is told.
            raise
        run_plain(self, f"RELEASE SAVEPOINT {name}")

    def written(self) -> None:
        """Note that something is written past the session: what waits in the session goes before it."""
        self._wrote = True
        if self._session is not None and (self._session.new or self._session.dirty or self._session.deleted):
            self._session.flush()

    def _flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def _forget(self) -> None:
        if self._session is not None:
            self._session.expunge_all()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Give the transaction up while this thread computes (a password hash) or waits.

        Nothing may have been written yet; the next statement begins a new transaction and sees newer rows.
        """
        if self.events or self.deferred or self._wrote or self._session is not None:
            raise BootError("released() after something was written")
        kept, self._kept = self._kept, None
        if kept is not None:
            self.kernel.db.end(kept, self.writes, commit=False)
        yield

    def resource(self, name: str) -> Any:
        """Return what a guard loaded under this name."""
        return self.resources[name]

    def facts(self) -> Mapping[str, Any]:
        """Return what a job must know of the request that caused it; never a secret."""
        return {
            "actor": self.actor.id,
            "kind": self.actor.kind,
            "request": self.request_id,
            "token": self.client_token,
        }
