"""Background services that plugins declare: something with start and stop, in every process or in one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .host import Kernel


@dataclass(frozen=True)
class Background:
    """A threaded service: `start(kernel)` returns its handle, `stop(handle)` ends it within seconds.

    With `single` it runs in one process of all that share the database, under a lease row that another
    process takes over after `lease_seconds`. `wanted` is asked once, when a process starts: a service that the
    config does not want takes no lease.
    """

    name: str
    start: Callable[[Kernel], Any]
    stop: Callable[[Any], None]
    single: bool = False
    lease_seconds: int = 30
    wanted: Callable[[Kernel], bool] | None = None
