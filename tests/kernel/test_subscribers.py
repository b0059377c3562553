"""Subscribers: what they hear of, and what becomes of the unit when one of them fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from atrio.kernel.blobs import Blob
from atrio.kernel.context import Context
from atrio.kernel.errors import InternalError
from atrio.kernel.events import Event, Phase, Stage
from atrio.kernel.host import Kernel
from atrio.kernel.plugins import PluginRecord, State
from tests.kernel.bells import Echoed, Quiet, Rang, hear, kept, put, ring


def test_a_fault_of_a_plugin_is_undone_and_the_unit_goes_on(kernel: Kernel, ringer: PluginRecord) -> None:
    def handler(ctx: Context, event: Rang) -> None:
        put(ctx, "half")
        ctx.emit(Echoed())
        ctx.defer("kernel.tidy")
        raise RuntimeError("boom")

    heard: list[Event] = []
    hear(kernel, ringer, handler)
    hear(kernel, None, lambda kernel, event: heard.append(event), event=Event, phase=Phase.AFTER_COMMIT)

    def act(ctx: Context) -> None:
        put(ctx, "whole")
        ring(ctx)

    kernel.run(act)
    assert kept(kernel) == {"whole"}
    assert heard == [Rang(1)]
    assert (ringer.faults, ringer.streak, ringer.state) == (1, 1, State.ENABLED)


def test_an_orm_object_of_a_faulty_subscriber_is_undone_too(kernel: Kernel, ringer: PluginRecord) -> None:
    def handler(ctx: Context, event: Rang) -> None:
        ctx.session.add(Blob(digest="pending", size=1, created=1))
        if event.number:
            ctx.session.flush()
        raise RuntimeError("boom")

    hear(kernel, ringer, handler)
    for number in (0, 1):
        for orm in (False, True):

            def act(ctx: Context, number: int = number, orm: bool = orm) -> None:
                digest = f"whole-{number}-{orm}"
                if orm:
                    ctx.session.add(Blob(digest=digest, size=1, created=1))
                else:
                    put(ctx, digest)
                ctx.emit(Rang(number))

            kernel.run(act)
    assert kept(kernel) == {f"whole-{n}-{o}" for n in (0, 1) for o in (False, True)}


def test_five_faults_in_a_row_take_a_plugin_out(kernel: Kernel, ringer: PluginRecord) -> None:
    failing = [True] * 4 + [False] + [True] * 9
    calls: list[bool] = []

    def handler(ctx: Context, event: Rang) -> None:
        calls.append(failing[len(calls)])
        if calls[-1]:
            raise RuntimeError("boom")

    hear(kernel, ringer, handler)
    for _ in range(9):
        kernel.run(ring)
        assert ringer.enabled or len(calls) == 10
    kernel.run(ring)
    assert ringer.state is State.FAILED
    assert "5 times in a row" in ringer.reason
    kernel.run(ring)
    assert len(calls) == 10, "a failed plugin hears nothing more"


def test_who_requires_a_failed_plugin_goes_with_it(
    kernel: Kernel, ringer: PluginRecord, plugin: Callable[..., PluginRecord]
) -> None:
    chime = plugin("chime", requires=("ringer",))
    kernel.records.append(chime)
    for _ in range(5):
        kernel.note_fault(ringer, in_commit=True)
    assert ringer.state is State.FAILED
    assert chime.state is State.BLOCKED
    assert chime.reason == "needs ringer (failed)"


@pytest.mark.atrio_config(plugins__disabled=["live", "mail"])
@pytest.mark.parametrize("phase", list(Phase))
def test_a_condition_is_asked_before_the_subscriber(
    kernel: Kernel, ringer: PluginRecord, statements: Any, phase: Phase
) -> None:
    heard: list[int] = []

    def handler(_: Any, event: Rang) -> None:
        heard.append(event.number)

    kernel.bus.declare("ringer", Rang)
    hear(kernel, ringer, handler, phase=phase, name="ringer.hear", when=lambda event: event.number > 1)
    with statements() as seen:
        kernel.run(lambda ctx: ctx.emit(Rang(1)))
    assert heard == []
    assert not any("SAVEPOINT" in s or "kernel_job" in s for s in seen)
    kernel.run(lambda ctx: ctx.emit(Rang(2)))
    assert heard == [2]


@pytest.mark.parametrize("phase", list(Phase))
def test_a_condition_that_fails_turns_nothing_down(kernel: Kernel, ringer: PluginRecord, phase: Phase) -> None:
    heard: list[int] = []
    kernel.bus.declare("ringer", Rang)
    hear(
        kernel, ringer, lambda _, event: heard.append(event.number), phase=phase, name="ringer.hear",
        when=lambda event: 1 / 0,
    )  # fmt: skip
    kernel.run(lambda ctx: ctx.emit(Rang(3)))
    assert heard == [3]


def test_a_declared_veto_refuses_the_unit(kernel: Kernel, ringer: PluginRecord) -> None:
    def handler(ctx: Context, event: Rang) -> None:
        raise Quiet

    hear(kernel, ringer, handler, vetoes=(Quiet,), stage=Stage.VALIDATE)

    def act(ctx: Context) -> None:
        put(ctx, "a")
        ring(ctx)

    with pytest.raises(Quiet):
        kernel.run(act)
    assert kept(kernel) == set()
    assert ringer.faults == 0


def test_an_undeclared_refusal_is_a_fault(kernel: Kernel, ringer: PluginRecord) -> None:
    def handler(ctx: Context, event: Rang) -> None:
        raise Quiet

    hear(kernel, ringer, handler)
    kernel.run(ring)
    assert ringer.faults == 1
    hear(kernel, None, handler)
    with pytest.raises(InternalError):
        kernel.run(ring)


def test_a_fault_of_an_essential_subscriber_rolls_the_unit_back(kernel: Kernel) -> None:
    def handler(ctx: Context, event: Rang) -> None:
        raise ZeroDivisionError

    hear(kernel, kernel.record("accounts"), handler)

    def act(ctx: Context) -> None:
        put(ctx, "a")
        ring(ctx)

    with pytest.raises(ZeroDivisionError):
        kernel.run(act)
    assert kept(kernel) == set()


def test_after_commit_subscribers_are_isolated(kernel: Kernel, ringer: PluginRecord) -> None:
    heard: list[str] = []

    def broken(kernel: Kernel, event: Rang) -> None:
        raise RuntimeError("boom")

    hear(kernel, ringer, broken, phase=Phase.AFTER_COMMIT)
    hear(kernel, None, lambda kernel, event: heard.append("told"), phase=Phase.AFTER_COMMIT)
    for _ in range(6):
        kernel.run(ring)
    assert heard == ["told"] * 6
    assert (ringer.faults, ringer.state) == (6, State.ENABLED), "the rows are safe: it is only counted"


def test_a_deadlock_in_a_subscriber_is_the_units_own(kernel: Kernel, ringer: PluginRecord) -> None:
    """A database that chose this transaction as the victim has undone all of it: it must not go on."""
    calls: list[int] = []

    class Deadlock(Exception):
        sqlstate = "40P01"

    def handler(ctx: Context, event: Rang) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("SELECT", {}, Deadlock())

    hear(kernel, ringer, handler)
    kernel.run(ring)
    assert (len(calls), ringer.faults) == (2, 0)
