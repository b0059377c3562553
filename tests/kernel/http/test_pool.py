"""Threads of a pool: niceness."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from atrio.kernel.http.pool import WorkPool


@pytest.mark.skipif(sys.platform != "linux", reason="a niceness of single threads")
def test_threads_of_a_pool_may_give_way_and_others_do_not() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def ask(pool: WorkPool) -> int:
        return await pool.run(niceness)

    own = niceness()
    for nice in (0, 3):
        pool = WorkPool("test", 1, 10, nice=nice)
        assert asyncio.run(ask(pool)) == max(own, nice)
        pool.close()
    assert niceness() == own
