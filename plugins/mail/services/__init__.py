"""Writes of mail."""

from .digests import make_digests
from .opening import open_space, space_address
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
    settling,
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
    "open_space",
    "queue_refusal",
    "release",
    "retry",
    "settling",
    "space_address",
]
