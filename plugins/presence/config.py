"""Settings of presence."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class PresenceConfig:
    """Who counts as online, how many may be, and who sees it."""

    visible: bool = option(
        False,
        help="Whether people see who of those with whom they share a space is online, unless he hides.",
    )
    offline_seconds: int = option(
        10, legacy="user.online_timeout", minimum=0, maximum=3600,
        help="Seconds without an open stream after which a user is offline.",
    )  # fmt: skip
    maximum_online_users: int = option(
        0, legacy="limitation.maximum_online_users", minimum=0,
        help="How many users may be online at a time; who comes beyond gets no stream. 0: no limit.",
    )  # fmt: skip
    maximum_online_users_message: str = option(
        "", legacy="limitation.maximum_online_users_message",
        help="What clients show to whom the limit kept out.",
    )  # fmt: skip
    lease_seconds: int = option(
        30, minimum=2, maximum=3600,
        help="Seconds after which the users of a dead process are offline; a living one renews thrice as often.",
    )  # fmt: skip


SECTION = ConfigSection("presence", PresenceConfig)
