"""Presence of several processes that write at once, on PostgreSQL and MariaDB."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from atrio.kernel.host import Kernel
from atrio.kernel.testing.plugin import make_kernel
from atrio.plugins.presence import queries
from atrio.plugins.presence.keeper import Keeper
from atrio.plugins.presence.models import ONLINE
from atrio.plugins.presence.roll import roll_of

SETTINGS = {
    "presence__maximum_online_users": 6, "presence__offline_seconds": 0, "presence__visible": True,
}  # fmt: skip
pytestmark = [pytest.mark.services, pytest.mark.timeout(240), pytest.mark.atrio_config(**SETTINGS)]


@pytest.fixture
def kernels(kernel: Kernel, url: str, tmp_path: Path) -> Iterator[list[Kernel]]:
    """Three instances on one database, as three processes are."""
    others = [make_kernel(tmp_path / f"k{n}", {"database__url": url, **SETTINGS}) for n in range(2)]
    yield [kernel, *others]
    for other in others:
        other.stop()


def together(calls: list[Callable[[], None]]) -> None:
    """Run calls at once; the first fault of any is raised here."""
    faults: list[Exception] = []
    ready = threading.Barrier(len(calls))

    def act(call: Callable[[], None]) -> None:
        ready.wait()
        try:
            call()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=act, args=(c,)) for c in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def admit(kernel: Kernel, user_id: int) -> bool:
    answer: Any = kernel.run(lambda ctx: kernel.hooks.hook.refuse_stream(ctx=ctx, user_id=user_id))
    return answer is None


def test_the_limit_holds_over_processes(kernels: list[Kernel]) -> None:
    inside: list[int] = []

    def come(kernel: Kernel, user_id: int) -> None:
        if admit(kernel, user_id):
            inside.append(user_id)
        kernel.db.close_thread()

    together([lambda k=k, u=u: come(k, u) for u in range(1, 11) for k in kernels])
    assert len(inside) == 18
    assert len(set(inside)) == 6
    assert kernels[0].run(queries.count_online) == 6


def test_nobody_gets_in_the_way_of_anybody(kernels: list[Kernel]) -> None:
    """Streams that come and go while keepers write, renew, and delete what expired; at the end all is right."""
    keepers = [Keeper(kernel) for kernel in kernels]
    over = threading.Event()

    def keep(keeper: Keeper) -> None:
        while not over.is_set():
            keeper._renew_at = 0
            keeper.turn()
        keeper.kernel.db.close_thread()

    def live(kernel: Kernel, seed: int) -> None:
        chance = random.Random(seed)
        roll = roll_of(kernel)
        for _ in range(40):
            user_id = chance.randint(1, 12)
            if admit(kernel, user_id):
                roll.opened(user_id)
                assert kernel.run(queries.count_online, writes=False) <= 6
                roll.closed(user_id)
        kernel.db.close_thread()

    def bury() -> None:
        kernel = kernels[0]
        for number in range(40):
            dead = {"process": f"dead{number}", "user_id": 99, "opened": 0, "expires": 1}
            kernel.run(lambda ctx, row=dead: ctx.execute(ONLINE.insert(), [row]))
        kernel.db.close_thread()

    def act() -> None:
        together([*(lambda k=k, s=s: live(k, s) for k in kernels for s in range(2)), bury])
        over.set()

    together([*(lambda k=k: keep(k) for k in keepers), act])
    for keeper in keepers:
        keeper._renew_at = 0
        keeper.turn()
    left = kernels[0].run(lambda ctx: ctx.execute(select(ONLINE.c.process, ONLINE.c.user_id)).all())
    expected = {(k.roll.process, u) for k in keepers for u in k.roll.here()}
    assert {tuple(row) for row in left} == expected
