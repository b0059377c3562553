"""Settings of calls."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class CallsConfig:
    """Where people meet."""

    jitsi_url: str = option(
        "https://meet.jit.si",
        legacy="call.jitsi_meet.url",
        help="Address of the Jitsi server on which calls take place.",
    )
    unanswered_timeout: int = option(
        30,
        legacy="call.unanswered_timeout",
        minimum=1,
        maximum=3600,
        help="Seconds after which the caller's client gives up.",
    )


SECTION = ConfigSection("calls", CallsConfig)
