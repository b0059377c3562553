"""Durable jobs: the outbox row is the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert, select, update

from atrio.kernel import jobs
from atrio.kernel.context import Context
from atrio.kernel.errors import BootError, RetryWork
from atrio.kernel.events import Event, Phase, Subscription
from atrio.kernel.host import Kernel
from atrio.kernel.jobs import BACKOFF_SECONDS, SECOND, OutboxJob
from atrio.kernel.plugins import PluginRecord, State
from atrio.kernel.tasks import Task


@dataclass(frozen=True)
class Posted(Event):
    """A letter was posted."""

    name: ClassVar[str] = "letter.posted"
    letter_id: int
    stamps: tuple[str, ...] = ()


class Postman:
    """A job that fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.seen: list[Any] = []
        self.attempts: list[int] = []

    def carry(self, ctx: Context, event: Posted) -> None:
        """Deliver a letter."""
        self.attempts.append(ctx.job_attempt)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the dog bites")
        self.seen.append((event, ctx.actor.kind, ctx.actor.via))


@pytest.fixture
def postman(kernel: Kernel, plugin: Callable[..., PluginRecord], clock: Any) -> Postman:
    """A plugin with a job subscriber and a task."""
    made = Postman()
    record = plugin("post")
    kernel.records.append(record)
    kernel.bus.declare("post", Posted)
    kernel.bus.subscribe(record, Subscription(Posted, made.carry, phase=Phase.JOB, name="post.carry"))
    kernel.jobs.declare(record, Task("post.count", lambda ctx, **given: made.seen.append(given)))
    return made


def rows(kernel: Kernel, name: str = "post.carry") -> list[Any]:
    with kernel.unit(writes=False) as ctx:
        table = OutboxJob.__table__
        return list(ctx.execute(select(table).where(table.c.job == name).order_by(table.c.id)).all())


def post(kernel: Kernel) -> str:
    kernel.run(lambda ctx: ctx.emit(Posted(5, ("red", "blue"))))
    return str(rows(kernel)[-1].id)


def test_an_event_becomes_a_row_and_runs(kernel: Kernel, postman: Postman) -> None:
    post(kernel)
    (row,) = rows(kernel)
    assert (row.state, row.attempt, row.event, row.error) == ("done", 1, "letter.posted", None)
    assert postman.seen == [(Posted(5, ("red", "blue")), "system", "job")]


def test_a_failure_waits_and_is_tried_again(kernel: Kernel, postman: Postman, clock: Any) -> None:
    postman.failures = 2
    job = post(kernel)
    (row,) = rows(kernel)
    assert (row.state, row.attempt, row.holder) == ("pending", 1, None)
    assert row.available == clock.now() + BACKOFF_SECONDS[0] * SECOND
    assert row.error == "RuntimeError: the dog bites"
    assert kernel.jobs.run(job) == "not due"
    clock.move(BACKOFF_SECONDS[0] - 1)
    assert kernel.jobs.sweep() == 0
    clock.move(1)
    assert kernel.jobs.sweep() == 1
    assert rows(kernel)[0].available == clock.now() + BACKOFF_SECONDS[1] * SECOND
    clock.move(BACKOFF_SECONDS[1])
    assert kernel.jobs.sweep() == 1
    assert rows(kernel)[0].state == "done"
    assert rows(kernel)[0].error is None
    assert postman.attempts == [1, 2, 3]
    assert kernel.jobs.sweep() == 0


def test_after_the_last_attempt_it_is_dead_until_somebody_retries(
    kernel: Kernel, postman: Postman, clock: Any
) -> None:
    postman.failures = 6
    job = post(kernel)
    for seconds in BACKOFF_SECONDS:
        clock.move(seconds)
        kernel.jobs.sweep()
    (row,) = rows(kernel)
    assert (row.state, row.attempt, row.finished) == ("dead", 6, clock.now())
    clock.move(1_000_000)
    assert kernel.jobs.sweep() == 0
    assert kernel.run(lambda ctx: jobs.retry(ctx, [job])) == 1
    assert kernel.jobs.run(job) == "done"
    assert rows(kernel)[0].attempt == 1
    assert kernel.run(lambda ctx: jobs.retry(ctx, [job])) == 0, "a finished job is not run twice"


def test_a_job_of_a_plugin_that_is_off_is_parked_and_comes_back(
    kernel: Kernel, postman: Postman, clock: Any
) -> None:
    postman.failures = 1
    job = post(kernel)
    record = kernel.record("post")
    assert record is not None
    record.park(State.DISABLED, "for a while")
    clock.move(10)
    assert kernel.jobs.run(job) == "parked"
    assert rows(kernel)[0].state == "parked"
    assert rows(kernel)[0].attempt == 1, "parking costs no attempt"
    clock.move(100_000)
    assert kernel.jobs.sweep() == 0
    record.state = State.ENABLED
    assert kernel.jobs.sweep() == 1
    assert rows(kernel)[0].state == "done"


def test_a_plugin_that_is_off_gets_no_rows(kernel: Kernel, postman: Postman) -> None:
    record = kernel.record("post")
    assert record is not None
    record.park(State.DISABLED, "for a while")
    kernel.run(lambda ctx: ctx.emit(Posted(1)))
    assert rows(kernel) == []


def test_drop_leaves_running_jobs(kernel: Kernel, postman: Postman) -> None:
    postman.failures = 1
    job = post(kernel)
    kernel.run(lambda ctx: ctx.execute(update(OutboxJob).values(state="leased")))
    assert kernel.run(lambda ctx: jobs.drop(ctx, [job])) == 0
    kernel.run(lambda ctx: ctx.execute(update(OutboxJob).values(state="dead")))
    assert kernel.run(lambda ctx: jobs.drop(ctx, [job])) == 1
    assert rows(kernel) == []


def test_a_job_whose_lease_was_lost_leaves_nothing_behind(kernel: Kernel, postman: Postman) -> None:
    def steal(ctx: Context, event: Posted) -> None:
        ctx.execute(update(OutboxJob).where(OutboxJob.job == "post.stolen").values(attempt=9))
        ctx.emit(Posted(99))

    kernel.bus.subscribe(kernel.record("post"), Subscription(Posted, steal, phase=Phase.JOB, name="post.stolen"))
    kernel.run(lambda ctx: ctx.emit(Posted(5)))
    (row,) = rows(kernel, "post.stolen")
    assert (row.state, row.attempt) == ("leased", 1), "its unit was rolled back"
    assert [event.letter_id for event, *_ in postman.seen] == [5]


def test_a_lease_that_ran_out_is_taken_over(kernel: Kernel, postman: Postman, clock: Any) -> None:
    postman.failures = 1
    job = post(kernel)
    until = clock.now() + 5 * SECOND
    kernel.run(
        lambda ctx: ctx.execute(
            update(OutboxJob).values(state="leased", leased_until=until, holder="elsewhere:1:x")
        )
    )
    assert kernel.jobs.run(job) == "not due"
    clock.move(6)
    assert kernel.jobs.run(job) == "done"
    assert rows(kernel)[0].attempt == 2


def test_a_job_of_a_dead_process_of_this_host_is_freed_at_once(
    kernel: Kernel, postman: Postman, clock: Any
) -> None:
    import socket

    postman.failures = 1
    post(kernel)
    clock.move(BACKOFF_SECONDS[0])
    until = clock.now() + 500 * SECOND
    holder = f"{socket.gethostname()}:999999999:gone"
    kernel.run(
        lambda ctx: ctx.execute(update(OutboxJob).values(state="leased", leased_until=until, holder=holder))
    )
    assert kernel.jobs.sweep() == 1
    assert rows(kernel)[0].state == "done"


def test_a_lost_race_inside_a_job_costs_no_attempt(kernel: Kernel, postman: Postman) -> None:
    tries: list[int] = []

    def race(ctx: Context, event: Posted) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise RetryWork

    kernel.bus.subscribe(kernel.record("post"), Subscription(Posted, race, phase=Phase.JOB, name="post.race"))
    kernel.run(lambda ctx: ctx.emit(Posted(5)))
    (row,) = rows(kernel, "post.race")
    assert (row.state, row.attempt, len(tries)) == ("done", 1, 3)


# -- tasks ---------------------------------------------------------------------------------------------------


def test_a_deferred_task_runs_after_the_commit_with_its_arguments(kernel: Kernel, postman: Postman) -> None:
    kernel.run(lambda ctx: ctx.defer("post.count", letters=3))
    assert postman.seen == [{"letters": 3}]


def test_a_delayed_task_waits(kernel: Kernel, postman: Postman, clock: Any) -> None:
    kernel.run(lambda ctx: ctx.defer("post.count", delay_seconds=60, letters=3))
    assert (postman.seen, kernel.jobs.sweep()) == ([], 0)
    clock.move(60)
    assert kernel.jobs.sweep() == 1
    assert postman.seen == [{"letters": 3}]


def test_a_task_nobody_declared_is_a_fault_and_leaves_nothing(kernel: Kernel, postman: Postman) -> None:
    with pytest.raises(BootError, match="'post.nothing' is not declared"):
        kernel.run(lambda ctx: ctx.defer("post.nothing"))
    assert rows(kernel, "post.nothing") == []


def test_a_periodic_task_runs_once_a_slot(kernel: Kernel, postman: Postman) -> None:
    minute = 60 * SECOND
    fired = [kernel.jobs.fire("post.count", slot) for slot in (minute, minute, 2 * minute, minute, 2 * minute)]
    assert fired == [True, False, True, False, False]
    assert postman.seen == [{}, {}]


def test_finished_jobs_are_forgotten_after_a_day(kernel: Kernel, postman: Postman, clock: Any) -> None:
    post(kernel)
    clock.move(23 * 3600)
    kernel.run(lambda ctx: ctx.defer("kernel.tidy"))
    assert len(rows(kernel)) == 1
    clock.move(2 * 3600)
    kernel.run(lambda ctx: ctx.defer("kernel.tidy"))
    assert rows(kernel) == []


def test_the_backlog_counts_what_is_not_done(kernel: Kernel, postman: Postman) -> None:
    post(kernel)
    postman.failures = 2
    post(kernel)
    post(kernel)
    with kernel.unit(writes=False) as ctx:
        assert jobs.backlog(ctx) == {"pending": 2}
        assert [row.state for row in jobs.list_jobs(ctx, ["pending"])] == ["pending", "pending"]


# -- leases of single services -------------------------------------------------------------------------------


def test_one_holder_at_a_time(kernel: Kernel, clock: Any) -> None:
    other = {"name": "mailer", "holder": "elsewhere:1:x", "until": clock.now() + 30 * SECOND}
    kernel.run(lambda ctx: ctx.execute(insert(jobs.Lease).values(**other)))

    def take(ctx: Context) -> bool:
        return jobs.take_single(ctx, "mailer", 30)

    assert not kernel.run(take)
    clock.move(31)
    assert kernel.run(take)
    assert kernel.run(take), "renewed"
    kernel.run(lambda ctx: jobs.release_single(ctx, "mailer"))
    with kernel.unit(writes=False) as ctx:
        assert ctx.execute(select(jobs.Lease.name)).all() == []
