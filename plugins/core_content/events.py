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


@dataclass(frozen=True)
class ContentTrashed(ContentEvent):
    """A content went to the trash; its descendants are hidden with it, without events of their own."""

    name: ClassVar[str] = "content.trashed"


@dataclass(frozen=True)
class ContentRestored(ContentEvent):
    """A content came back from the trash."""

    name: ClassVar[str] = "content.restored"


@dataclass(frozen=True)
class ContentPurged(ContentEvent):
    """A content was deleted for good, with its subtree; `content_ids` are those of all that is gone."""

    name: ClassVar[str] = "content.purged"
    content_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ContentCopied(ContentEvent):
    """A content was made as the copy of another, with its subtree; `source_id` is the other."""

    name: ClassVar[str] = "content.copied"
    source_id: int = 0


@dataclass(frozen=True)
class ContentMoved(ContentModified):
    """A content went to another place; `from_space_id` tells from which space."""

    name: ClassVar[str] = "content.moved"
    change: str = "move"
    from_space_id: int = 0


EVENTS = (
    ContentCreated, ContentModified, ContentMoved, ContentTrashed, ContentRestored, ContentPurged, ContentCopied
)  # fmt: skip
