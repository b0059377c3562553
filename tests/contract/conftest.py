"""The stage, set once for each test that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client

from .page import allow_only, served
from .stage import Stage


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    """The address of a web page."""
    with served() as address:
        yield address


@pytest.fixture
def stage(kernel: Kernel, client: Client, as_actor: Callable[..., Any], page: str) -> Iterator[Stage]:
    """The world in which routes are asked."""
    allow_only(kernel, page)
    made = Stage(kernel, client, as_actor, page)
    yield made
    made.people["stranger"].close()
