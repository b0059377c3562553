"""Settings of resumable."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class ResumableConfig:
    """Uploads that go on where they broke off."""

    expire_hours: int = option(
        24, minimum=1, maximum=24 * 365, help="How long an upload waits for its next byte before it is removed."
    )
    open_uploads: int = option(20, minimum=1, maximum=1000, help="Unfinished uploads that one user may have.")
    open_bytes: int = option(
        50 * 1024**3, minimum=0,
        help="Bytes that the unfinished uploads of one user may announce together; 0: no limit.",
    )  # fmt: skip


SECTION = ConfigSection("resumable", ResumableConfig)
