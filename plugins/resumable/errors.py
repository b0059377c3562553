"""Errors of resumable; the statuses are those of the tus protocol 1.0."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UploadNotFound(KernelError):
    """The caller has no such upload in this space, or it was removed."""

    code = 20140
    status = 404


class WrongOffset(KernelError):
    """The bytes do not follow those that came; the answer carries `Upload-Offset`."""

    code = 20141
    status = 409


class UploadLocked(KernelError):
    """Another request writes to this upload at this moment; the answer carries `Retry-After` in seconds."""

    code = 20142
    status = 423


class ChecksumMismatch(KernelError):
    """The bytes are not those of `Upload-Checksum`; they were thrown away."""

    code = 20143
    status = 460


class UnknownTusVersion(KernelError):
    """The request speaks another version of tus, or none; the answer carries `Tus-Version`."""

    code = 20144
    status = 412


class TooManyUploads(KernelError):
    """The caller's unfinished uploads are too many, or announce too many bytes; finish or delete some."""

    code = 20145
    status = 403


class BadUploadHeader(KernelError):
    """A header of the tus protocol is missing or cannot be read."""

    code = 20146
    status = 400


ERRORS = (
    UploadNotFound,
    WrongOffset,
    UploadLocked,
    ChecksumMismatch,
    UnknownTusVersion,
    TooManyUploads,
    BadUploadHeader,
)
