"""Errors of url_preview."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UnavailableUrlPreview(KernelError):
    """The page may not be fetched, does not answer, or shows nothing to preview."""

    code = 1014


ERRORS = (UnavailableUrlPreview,)
