"""Errors of zip_download."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class ZipTooLarge(KernelError):
    """More files, folders or bytes than one zip file may hold; nothing was sent."""

    code = 20150
    status = 413


ERRORS = (ZipTooLarge,)
