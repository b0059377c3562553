"""Refusals of the drive; they become the statuses of WebDAV and have no code of the REST API."""

from __future__ import annotations

from typing import ClassVar

from atrio.kernel.errors import KernelError

TAKEN = 3002
UNSEEN = frozenset({1001, 1002, 1003})
STATUS = {TAKEN: 409, 6002: 413, 6003: 507, 6004: 507, 2044: 403, 2038: 403}
"""Where the status of WebDAV is another one than that of the refusal on the REST API."""


def status_of(error: KernelError) -> int:
    """Return the status of WebDAV for a refusal: what one may not see is not there, what one may not do is 403."""
    if error.code in UNSEEN:
        return 404
    status = STATUS.get(error.code or 0, error.status)
    return 403 if status == 400 else status


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
