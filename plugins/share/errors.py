"""Errors of share."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class ShareNotFound(KernelError):
    """There is no such share, or it was disabled."""

    code = 1007


class PublicDownloadDisabled(KernelError):
    """The space does not give files to people without an account."""

    code = 2055


ERRORS = (ShareNotFound, PublicDownloadDisabled)
