"""What a plugin declares of its background work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """Background work: `handler(ctx, **arguments)` in a unit of its own, idempotent.

    `periodic` is a five-field crontab line in UTC; such a task runs once a slot however many workers there are.
    """

    name: str
    handler: Callable[..., Any]
    periodic: str | None = None
    lease_seconds: int | None = None
    attempts: int = 6
    summary: str = ""
