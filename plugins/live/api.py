"""What other plugins may use of live: frames to open streams, beside the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .frames import transient
from .hub import hub_of

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel


def push(kernel: Kernel, frames: Mapping[int, bytes]) -> None:
    """Put frames into the streams that users (by id) have open in this process; from any thread, never waits.

    For what `transient` makes: no log holds it, so who has no stream now never gets it.
    """
    hub = hub_of(kernel)

    def hand_out() -> None:
        for user_id, frame in frames.items():
            for stream in hub.streams_of(user_id):
                stream.put(frame)

    hub.call_soon(hand_out)


__all__ = ["push", "transient"]
