"""Errors of upload_links."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UploadLinkNotFound(KernelError):
    """There is no such link, or it was disabled."""

    code = 1008


class PublicUploadDisabled(KernelError):
    """The space takes no files from people without an account."""

    code = 2054


ERRORS = (UploadLinkNotFound, PublicUploadDisabled)
