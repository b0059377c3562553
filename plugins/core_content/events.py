"""Events of core_content: one an action, ids and a small snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class ContentEvent(Event):
    """What all content events carry."""

    name: ClassVar[str] = "content"
    content_id: int
    space_id: int
    parent_id: int | None
    content_type: str
    revision_id: int
    label: str


@dataclass(frozen=True)
class ContentCreated(ContentEvent):
    """A content was created; an uploaded file with its bytes."""

    name: ClassVar[str] = "content.created"


@dataclass(frozen=True)
class ContentModified(ContentEvent):
    """A content has a new revision; `change` is the type of the revision."""

    name: ClassVar[str] = "content.modified"
    change: str = "edition"


EVENTS = (ContentCreated, ContentModified)
