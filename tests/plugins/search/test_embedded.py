"""The engine in the database does what every engine must do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from atrio.kernel.host import Kernel
from atrio.plugins.search import services

from .suite import *  # noqa: F403


@pytest.fixture
def settle(kernel: Kernel) -> Callable[[], None]:
    """Index what waits now."""

    def run() -> None:
        while kernel.run(services.catch_up):
            pass

    return run
