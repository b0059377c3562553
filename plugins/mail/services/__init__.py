"""Writes of mail."""

from .digests import make_digests
from .queue import (
    claim,
    drop,
    fan_out,
    forget_old,
    mark_again,
    mark_dead,
    mark_sent,
    mark_skipped,
    queue_refusal,
    release,
    retry,
)

__all__ = [
    "claim",
    "drop",
    "fan_out",
    "forget_old",
    "make_digests",
    "mark_again",
    "mark_dead",
    "mark_sent",
    "mark_skipped",
    "queue_refusal",
    "release",
    "retry",
]
