"""Events of tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class TagCreated(Event):
    """A space has a new tag."""

    name: ClassVar[str] = "tag.created"
    tag_id: int
    space_id: int
    tag_name: str


@dataclass(frozen=True)
class TagDeleted(Event):
    """A space lost a tag, and these contents with it."""

    name: ClassVar[str] = "tag.deleted"
    searched: ClassVar[bool] = True
    tag_id: int
    space_id: int
    tag_name: str
    content_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ContentTagged(Event):
    """A content got a tag."""

    name: ClassVar[str] = "content_tag.created"
    searched: ClassVar[bool] = True
    tag_id: int
    content_id: int
    space_id: int
    tag_name: str


@dataclass(frozen=True)
class ContentUntagged(Event):
    """A content lost a tag; the tag stays."""

    name: ClassVar[str] = "content_tag.deleted"
    searched: ClassVar[bool] = True
    tag_id: int
    content_id: int
    space_id: int
    tag_name: str


EVENTS = (TagCreated, TagDeleted, ContentTagged, ContentUntagged)
