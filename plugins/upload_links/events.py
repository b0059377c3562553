"""Events of upload_links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from atrio.kernel.events import Event


@dataclass(frozen=True)
class UploadLinksCreated(Event):
    """Some addresses may put files into a space; the ids are those of the links, in the order of the addresses."""

    name: ClassVar[str] = "upload_link.created"
    space_id: int
    user_id: int
    group_uuid: str
    link_ids: tuple[int, ...]


@dataclass(frozen=True)
class UploadLinkDisabled(Event):
    """An upload link was ended."""

    name: ClassVar[str] = "upload_link.disabled"
    link_id: int
    space_id: int


@dataclass(frozen=True)
class GuestUploaded(Event):
    """A guest put files into a space; `guest` is the name he gave, `user_id` who made the link."""

    name: ClassVar[str] = "upload_link.used"
    link_id: int
    space_id: int
    user_id: int
    guest: str
    folder_id: int
    content_ids: tuple[int, ...]


EVENTS = (UploadLinksCreated, UploadLinkDisabled, GuestUploaded)
