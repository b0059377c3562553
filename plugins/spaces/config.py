"""Settings of spaces."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class SpacesConfig:
    """Spaces."""

    allowed_access_types: tuple[str, ...] = option(
        ("confidential", "on_request", "open"), help="Access types that new spaces may have."
    )
    per_user: int = option(0, minimum=0, help="Spaces one user may create; 0: no limit.")
    parent_choice_visible: bool = option(True, help="Offer the choice of a parent when a space is created.")
    notification_on_invitation: str = option(
        "daily", choices=("individual", "none", "hourly", "daily", "weekly"),
        help="How new members are told of changes by mail.",
    )  # fmt: skip


SECTION = ConfigSection("spaces", SpacesConfig)
