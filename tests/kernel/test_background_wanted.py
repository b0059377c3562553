"""A single background service that the config does not want writes no lease."""

from __future__ import annotations

from sqlalchemy import text

from atrio.kernel.background import Background
from atrio.kernel.runner import ServiceRunner


def test_an_unwanted_service_takes_no_lease_and_never_starts(kernel):
    started: list[str] = []

    def start(kernel):
        started.append("x")

    def leases():
        with kernel.unit(writes=False) as ctx:
            return ctx.execute(text("SELECT count(*) FROM kernel_lease WHERE name = 'test.unwanted'")).scalar()

    record = kernel.records[0]
    for answer, expected in ((False, 0), (True, 1)):
        service = Background(
            "test.unwanted", start, lambda handle: None, single=True, wanted=lambda _k, a=answer: a
        )
        runner = ServiceRunner(kernel, record, service)
        runner.begin()
        for _ in range(100):
            if len(started) == expected and leases() == expected:
                break
            import time

            time.sleep(0.02)
        assert (len(started), leases()) == (expected, expected)
        runner.end()
