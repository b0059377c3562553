"""Units of work: what a commit does in which order, and what a fault inside leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import bindparam, column, insert, select, table, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from atrio.kernel.blobs import Blob
from atrio.kernel.context import Context
from atrio.kernel.db.base import Base
from atrio.kernel.db.statement import Statement, Write
from atrio.kernel.errors import BootError, RetryWork
from atrio.kernel.events import Event, Phase, Stage
from atrio.kernel.host import Kernel
from tests.kernel.bells import BLOBS, WRITE, Echoed, Rang, hear, kept, put, ring

# -- order ---------------------------------------------------------------------------------------------------


def test_the_phases_of_a_commit(kernel: Kernel) -> None:
    log: list[str] = []

    def note(word: str) -> Callable[[Any, Any], None]:
        def handler(where: Any, event: Any) -> None:
            inside = isinstance(where, Context)
            log.append(f"{word}:{inside}:{len(kept(kernel)) if not inside else '-'}")

        return handler

    hear(kernel, None, note("after"), phase=Phase.AFTER_COMMIT)
    hear(kernel, None, note("publish"), stage=Stage.PUBLISH)
    hear(kernel, None, note("project"), stage=Stage.PROJECT)
    hear(kernel, None, note("validate"), stage=Stage.VALIDATE)
    hear(kernel, None, note("job"), phase=Phase.JOB, name="test.job")

    def act(ctx: Context) -> None:
        put(ctx, "a")
        ring(ctx)
        log.append("body")

    kernel.run(act)
    assert log == ["body", "validate:True:-", "project:True:-", "publish:True:-", "job:True:-", "after:False:1"]


def test_a_subscriber_may_emit_one_further_round(kernel: Kernel) -> None:
    heard: list[Event] = []
    hear(kernel, None, lambda ctx, event: ctx.emit(Echoed(event.number)))
    hear(kernel, None, lambda ctx, event: heard.append(event), event=Echoed)
    hear(kernel, None, lambda kernel, event: heard.append(event), event=Event, phase=Phase.AFTER_COMMIT)
    kernel.run(ring)
    assert heard == [Echoed(1), Rang(1), Echoed(1)]


def test_a_cascade_without_end_is_a_fault_that_leaves_nothing(kernel: Kernel) -> None:
    hear(kernel, None, lambda ctx, event: ctx.emit(Rang(event.number + 1)))

    def act(ctx: Context) -> None:
        put(ctx, "a")
        ring(ctx)

    with pytest.raises(BootError, match="cascade without end"):
        kernel.run(act)
    assert kept(kernel) == set()


def test_an_event_of_a_unit_that_fails_is_not_heard(kernel: Kernel, events: list[Any]) -> None:
    def act(ctx: Context) -> None:
        put(ctx, "a")
        ring(ctx)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kernel.run(act)
    assert (events, kept(kernel)) == ([], set())


def test_subscribers_hear_the_heirs_of_an_event(kernel: Kernel) -> None:
    @dataclass(frozen=True)
    class Tolled(Rang):
        """A heavy bell rang."""

        name: ClassVar[str] = "bell.tolled"

    heard: list[Event] = []
    hear(kernel, None, lambda ctx, event: heard.append(event))
    kernel.run(lambda ctx: ctx.emit(Tolled(3)))
    assert heard == [Tolled(3)]


# -- retries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("losses", "succeeds"), [(0, True), (1, True), (2, True), (7, False)])
def test_a_lost_race_is_tried_again_six_times(
    kernel: Kernel, events: list[Any], losses: int, succeeds: bool
) -> None:
    tries: list[int] = []

    def act(ctx: Context) -> str:
        tries.append(1)
        put(ctx, f"try-{len(tries)}")
        ring(ctx)
        if len(tries) <= losses:
            raise RetryWork
        return "done"

    if succeeds:
        assert kernel.run(act) == "done"
        assert kept(kernel) == {f"try-{losses + 1}"}
        assert events == [Rang(1)]
    else:
        with pytest.raises(RetryWork):
            kernel.run(act)
        assert (len(tries), kept(kernel), events) == (7, set(), [])


def test_another_error_is_not_tried_again(kernel: Kernel) -> None:
    tries: list[int] = []

    def act(ctx: Context) -> None:
        tries.append(1)
        ctx.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError):
        kernel.run(act)
    assert len(tries) == 1


# -- reading units, savepoints, released ---------------------------------------------------------------------


def test_a_reading_unit_cannot_write(kernel: Kernel) -> None:
    with pytest.raises(OperationalError, match="readonly"), kernel.unit(writes=False) as ctx:
        put(ctx, "a")
    with pytest.raises(BootError, match="cannot emit"), kernel.unit(writes=False) as ctx:
        ring(ctx)
    with pytest.raises(BootError, match="cannot defer"), kernel.unit(writes=False) as ctx:
        ctx.defer("kernel.tidy")
    with pytest.raises(OperationalError, match="readonly"), kernel.unit(writes=False) as ctx:
        ctx.session.add(Blob(digest="b", size=1, created=1))
        ctx.session.flush()
    assert kept(kernel) == set()


def test_a_closed_unit_opens_nothing_more(kernel: Kernel) -> None:
    with kernel.unit() as ctx:
        put(ctx, "a")
    with pytest.raises(BootError, match="closed"):
        ctx.execute(select(Blob.digest))


def test_a_savepoint_undoes_what_was_inside(kernel: Kernel) -> None:
    def act(ctx: Context) -> None:
        put(ctx, "before")
        with pytest.raises(ZeroDivisionError), ctx.savepoint():
            put(ctx, "inside")
            with ctx.savepoint():
                put(ctx, "deeper")
            raise ZeroDivisionError
        with ctx.savepoint():
            put(ctx, "kept")
        put(ctx, "after")

    kernel.run(act)
    assert kept(kernel) == {"before", "kept", "after"}


def test_a_savepoint_is_left_after_a_fault_of_the_database(kernel: Kernel) -> None:
    def act(ctx: Context) -> None:
        put(ctx, "before")
        with pytest.raises(IntegrityError), ctx.savepoint():
            put(ctx, "inside")
            put(ctx, "before")
        with pytest.raises(IntegrityError), ctx.savepoint():
            WRITE.run(ctx, {"digest": "before", "size": 1, "created": 1})
        put(ctx, "after")

    kernel.run(act)
    assert kept(kernel) == {"before", "after"}


def test_a_compiled_write(kernel: Kernel, statements: Any) -> None:
    """It counts its rows, waits for what the session holds, and is undone with its unit."""
    change = Write(update(BLOBS).where(BLOBS.c.digest == bindparam("named")))

    def act(ctx: Context) -> None:
        ctx.session.add(Blob(digest="pending", size=1, created=1))
        assert WRITE.run(ctx, {"digest": "mine", "size": 1, "created": 2}) == 1
        assert set(ctx.execute(select(Blob.digest)).scalars()) == {"pending", "mine"}
        assert change.run(ctx, {"named": "mine", "size": 7}) == 1
        assert change.run(ctx, {"named": "mine", "size": 8, "created": 9}) == 1
        assert change.run(ctx, {"named": "none", "size": 8}) == 0
        assert ctx.execute(select(Blob.size, Blob.created).where(Blob.digest == "mine")).one() == (8, 9)
        with pytest.raises(BootError, match="released"), ctx.released():
            pass

    with statements() as seen:
        kernel.run(act)
    assert sum(s.startswith("UPDATE kernel_blob") for s in seen) == 3
    assert kept(kernel) == {"pending", "mine"}

    def fails(ctx: Context) -> None:
        WRITE.run(ctx, {"digest": "gone", "size": 1, "created": 2})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kernel.run(fails)
    assert kept(kernel) == {"pending", "mine"}
    with pytest.raises(DBAPIError):
        kernel.run(lambda ctx: Write(insert(table("none", column("a")))).run(ctx, {"a": 1}))


def test_a_compiled_write_tells_the_new_key(kernel: Kernel) -> None:
    users = Base.metadata.tables["accounts_user"]
    rows = Statement(select(users.c.user_id, users.c.email).where(users.c.email == bindparam("email")))
    copied = [c for c in users.c if c.name not in ("user_id", "email", "username")]

    def act(ctx: Context) -> tuple[int, Any]:
        first = dict(ctx.execute(select(*copied).limit(1)).mappings().one())
        made = Write(insert(users), users.c.user_id).insert(
            ctx, {**first, "email": "new@x.org", "username": "new"}
        )
        return made, rows.first(ctx, email="new@x.org")

    made, row = kernel.run(act)
    assert row == (made, "new@x.org")


def test_released_lets_another_writer_in(kernel: Kernel) -> None:
    def other() -> None:
        kernel.run(lambda ctx: put(ctx, "other"))
        kernel.db.close_thread()

    def act(ctx: Context) -> set[str]:
        first = set(ctx.execute(select(Blob.digest)).scalars())
        with ctx.released():
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(5)
            assert not thread.is_alive(), "the lock was not given up"
        put(ctx, "mine")
        return first | set(ctx.execute(select(Blob.digest)).scalars())

    assert kernel.run(act) == {"other", "mine"}


@pytest.mark.parametrize(
    "act",
    [
        ring,
        lambda ctx: ctx.defer("kernel.tidy"),
        lambda ctx: put(ctx, "a"),
        lambda ctx: ctx.execute(text("DELETE FROM kernel_blob")),
        lambda ctx: ctx.session.add(Blob(digest="a", size=1, created=1)),
    ],
)
def test_released_after_a_write_is_a_fault(kernel: Kernel, act: Callable[[Context], Any]) -> None:
    with pytest.raises(BootError, match="after something was written"), kernel.unit() as ctx:
        act(ctx)
        with ctx.released():
            pass


def test_a_call_put_off_runs_in_a_unit_of_its_own_after_the_commit(kernel: Kernel) -> None:
    def act(ctx: Context) -> None:
        put(ctx, "a")
        ctx.later(lambda kernel: kernel.run(lambda inner: put(inner, "b")))
        ctx.later(lambda kernel: 1 // 0)
        ctx.later(lambda kernel: kernel.run(lambda inner: put(inner, "c")))

    kernel.run(act)
    assert kept(kernel) == {"a", "b", "c"}


def test_a_unit_that_asks_nothing_opens_nothing(kernel: Kernel, statements: Callable[[], Any]) -> None:
    with statements() as seen:
        kernel.run(lambda ctx: None)
    assert seen == []


def test_a_failed_statement_tells_no_values(kernel: Kernel) -> None:
    """Its text goes into logs and into the errors of jobs; hashes and tokens must not."""
    statement = "INSERT INTO accounts_session VALUES (:token, 999, 1, 1)"
    with pytest.raises(IntegrityError) as caught, kernel.unit() as ctx:
        ctx.execute(text(statement), {"token": "a-secret-token"})
    assert "accounts_session" in str(caught.value)
    assert "a-secret-token" not in str(caught.value)
