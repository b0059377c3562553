"""The stage of the contract is the world of these tests too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from tests.contract.conftest import page, stage
from tests.contract.page import allow_only

from .walk import Walk

__all__ = ["page", "stage", "walk"]


@pytest.fixture
def walk(kernel: Kernel, client: Client, as_actor: Callable[..., Any], page: str) -> Iterator[Walk]:
    """The stage, whose people and things can be put back while a test does its worst to them."""
    allow_only(kernel, page)
    made = Walk(kernel, client, as_actor, page, "reader")
    yield made
    made.people["stranger"].close()
