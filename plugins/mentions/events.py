"""Event of mentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class MentionCreated(Event):
    """A text mentions somebody whom it did not mention before.

    `recipient_type` is `user` or `role`; `recipient_id` is a user's id, or the least level of the members meant,
    0 for all of them.
    """

    name: ClassVar[str] = "mention.created"
    content_id: int
    space_id: int
    revision_id: int
    recipient_type: str
    recipient_id: int


EVENTS = (MentionCreated,)
