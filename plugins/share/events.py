"""Events of share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class ContentShared(Event):
    """A file was shared with some addresses; the ids are those of the shares, in the order of the addresses."""

    name: ClassVar[str] = "share.created"
    content_id: int
    space_id: int
    user_id: int
    group_uuid: str
    share_ids: tuple[int, ...]


@dataclass(frozen=True)
class ShareDisabled(Event):
    """A share was ended."""

    name: ClassVar[str] = "share.disabled"
    share_id: int
    content_id: int
    space_id: int


EVENTS = (ContentShared, ShareDisabled)
