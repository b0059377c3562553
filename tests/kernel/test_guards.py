"""Guards and permissions: default deny, alternatives, policies."""

from __future__ import annotations

import re
from typing import Any

import pytest

from atrio.kernel.context import ANONYMOUS, SYSTEM, Actor, Context
from atrio.kernel.errors import BootError, KernelError, Unauthenticated
from atrio.kernel.host import Kernel
from atrio.kernel.http.guards import (
    ALLOW,
    PUBLIC,
    SIGNED_IN,
    Guard,
    Permission,
    Policy,
    Rights,
    Ruling,
    abstain,
    any_of,
    check_all,
    deny,
    requires,
)
from atrio.kernel.http.route import Call

BOB = Actor(7, "user")


class NoWay(KernelError):
    """The permission's own refusal."""


class First(KernelError):
    """The refusal of a first opinion."""


class Second(KernelError):
    """The refusal of a second opinion."""


def context(kernel: Kernel, actor: Actor = BOB) -> Context:
    return Context(kernel, False, actor=actor)


def guard(error: type[KernelError] | None, log: list[str] | None = None, name: str = "g") -> Guard:
    """Return a guard that refuses with this error, or passes."""

    def check(ctx: Context, call: Call) -> None:
        if log is not None:
            log.append(name)
        if error is not None:
            raise error

    return Guard(name, check, (error,) if error else ())


def test_no_guards_is_a_fault_not_an_open_door(kernel: Kernel) -> None:
    with pytest.raises(BootError, match="default deny"):
        check_all(context(kernel), Call(), ())


def test_a_stranger_is_refused_before_any_guard_runs(kernel: Kernel) -> None:
    log: list[str] = []
    with pytest.raises(Unauthenticated):
        check_all(context(kernel, ANONYMOUS), Call(), (guard(First, log),))
    assert log == []
    check_all(context(kernel, ANONYMOUS), Call(), (PUBLIC, guard(None, log)))
    assert log == ["g"]
    with pytest.raises(Unauthenticated):
        SIGNED_IN.check(context(kernel, ANONYMOUS), Call())


def test_guards_run_in_order_and_the_first_refusal_ends_them(kernel: Kernel) -> None:
    log: list[str] = []
    guards = (guard(None, log, "a"), guard(First, log, "b"), guard(Second, log, "c"))
    with pytest.raises(First):
        check_all(context(kernel), Call(), guards)
    assert log == ["a", "b"]


def test_any_of_answers_the_error_of_its_last_alternative(kernel: Kernel) -> None:
    both = any_of(guard(First, name="one"), guard(Second, name="two"))
    with pytest.raises(Second):
        both.check(context(kernel), Call())
    assert both.errors == (First, Second)
    assert both.name == "one or two"
    any_of(guard(First), guard(None)).check(context(kernel), Call())
    any_of(guard(None), guard(First)).check(context(kernel), Call())


def test_any_of_lets_a_fault_through(kernel: Kernel) -> None:
    def check(ctx: Context, call: Call) -> None:
        raise RuntimeError("a bug is no refusal")

    with pytest.raises(RuntimeError):
        any_of(Guard("g", check), guard(None)).check(context(kernel), Call())


@pytest.mark.parametrize(
    ("rulings", "expected"),
    [
        ([], NoWay),
        ([abstain()], NoWay),
        ([abstain(First)], First),
        ([abstain(First), abstain(Second)], Second),
        ([abstain(First), abstain()], First),
        ([ALLOW], None),
        ([abstain(First), ALLOW], None),
        ([ALLOW, abstain(First)], None),
        ([ALLOW, deny(First)], First),
        ([deny(First), ALLOW], First),
        ([deny(First), deny(Second)], First),
        ([ALLOW, deny(First("with words"))], First),
    ],
)
def test_any_deny_wins_else_any_allow_else_the_last_abstain(
    kernel: Kernel, rulings: list[Ruling], expected: type[KernelError] | None
) -> None:
    rights = Rights()
    rights.declare("test", Permission("fly", NoWay))
    for ruling in rulings:
        rights.add("test", Policy("fly", lambda ctx, resource, ruling=ruling: ruling))
    if expected is None:
        rights.check(context(kernel), "fly")
        return
    with pytest.raises(expected):
        rights.check(context(kernel), "fly")


def test_the_system_passes_and_an_unknown_permission_is_a_fault(kernel: Kernel) -> None:
    rights = Rights()
    rights.declare("test", Permission("fly", NoWay))
    rights.check(context(kernel, SYSTEM), "fly")
    with pytest.raises(BootError, match="unknown permission 'swim'"):
        rights.check(context(kernel, SYSTEM), "swim")
    with pytest.raises(BootError, match="unknown permission 'swim'"):
        rights.add("test", Policy("swim", lambda ctx, resource: ALLOW))


def test_requires_asks_about_what_a_guard_loaded(kernel: Kernel) -> None:
    asked: list[Any] = []

    def decide(ctx: Context, resource: Any) -> Ruling:
        asked.append(resource)
        return ALLOW

    kernel.rights.declare("test", Permission("test.fly", NoWay))
    kernel.rights.add("test", Policy("test.fly", decide))
    ctx = context(kernel)
    ctx.resources["bird"] = "wren"
    requires("test.fly", of="bird").check(ctx, Call())
    requires("test.fly").check(ctx, Call())
    requires("test.fly", of="fish").check(ctx, Call())
    assert asked == ["wren", None, None]


def test_every_door_runs_the_same_guards(kernel: Kernel) -> None:
    log: list[str] = []

    def act(ctx: Context) -> str:
        return str(ctx.resources.get("seen"))

    def check(ctx: Context, call: Call) -> None:
        ctx.resources["seen"] = call.path["id"]

    assert kernel.run(act, actor=BOB, guards=(Guard("g", check),), path={"id": "5"}) == "5"
    with pytest.raises(Unauthenticated):
        kernel.run(act, actor=ANONYMOUS, guards=(guard(None, log),))
    with pytest.raises(First):
        kernel.run(act, actor=BOB, guards=(guard(First),))


def test_every_route_of_every_plugin_is_guarded_first_by_what_a_stranger_cannot_pass(
    kernel: Kernel, stranger: Any
) -> None:
    refused = 0
    for _, route in kernel.router.routes:
        if not route.public:
            path = re.sub(r"\{[^}]+\}", "1", route.openapi_path())
            answer = stranger.request(route.method, path, json_body={} if route.body else None)
            assert answer.status == 401, (route.method, route.path, answer.body)
            if route.method != "HEAD":
                assert answer.json["code"] is None
            refused += 1
    assert refused > 30
