"""Settings of live."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class LiveConfig:
    """How streams behave and how much is kept."""

    join_history: int = option(
        -1, legacy="workspace.join.max_messages_history_count", minimum=-1,
        help="Earlier messages of a space that a new member gets, already read; -1: all, 0: none.",
    )  # fmt: skip
    keep_alive_seconds: int = option(
        30, minimum=1, maximum=45, help="Seconds after which a silent stream says that it is alive."
    )
    poll_seconds: float = option(
        1.0, minimum=0.05, maximum=60,
        help="How often a process looks for messages of other processes when nobody wakes it.",
    )  # fmt: skip
    buffer_messages: int = option(
        1000, minimum=10, help="Messages that wait for a slow reader before its stream is cut; it resumes by id."
    )
    buffer_bytes: int = option(
        8 * 1024 * 1024, minimum=65536, help="Bytes that wait for a slow reader before its stream is cut."
    )
    stall_seconds: float = option(
        30.0, minimum=1, help="Seconds for which a client may take nothing before its stream is cut."
    )
    stream_hours: float = option(
        12.0, minimum=0.01, help="Hours after which a stream ends and its client has to sign in anew."
    )
    keep_days: int = option(
        0, minimum=0, help="Days after which read messages are forgotten; 0: they are kept for ever."
    )


SECTION = ConfigSection("live", LiveConfig)
