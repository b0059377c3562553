"""Refusals of the drive; they become the statuses of WebDAV and have no code of the REST API."""

from __future__ import annotations

from typing import ClassVar

from atrio.kernel.errors import KernelError


class SpacesStay(KernelError):
    """Spaces are made, moved and deleted in the application, not on the drive."""

    status: ClassVar[int] = 403


class NotWritable(KernelError):
    """A thread is shown on the drive and cannot be written there."""

    status: ClassVar[int] = 403


class Locked(KernelError):
    """Somebody else's lock stands here, or its token was not sent."""

    status: ClassVar[int] = 423


class Changed(KernelError):
    """What the request makes its condition changed while the body was on its way."""

    status: ClassVar[int] = 412


class FixedName(KernelError):
    """The name cannot be stored, or lacks the ending of its type."""

    status: ClassVar[int] = 403


class TextTooLarge(KernelError):
    """The text of a note is longer than notes may be."""

    status: ClassVar[int] = 413


class ScratchFull(KernelError):
    """The helper files of this user fill the room there is for them."""

    status: ClassVar[int] = 507


class TooLarge(KernelError):
    """A helper file is larger than files may be."""

    status: ClassVar[int] = 413
