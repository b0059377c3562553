"""Errors of preview."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UnavailablePreviewType(KernelError):
    """There is no preview of this kind for this type of file: no PDF of a picture."""

    code = 1011


class PageOfPreviewNotFound(KernelError):
    """The preview has fewer pages."""

    code = 1012


class UnavailablePreview(KernelError):
    """There is no preview, or not yet: then the answer carries `Retry-After` in seconds."""

    code = 1013


class PreviewDimNotAllowed(KernelError):
    """Only some sizes are drawn here, and this is none of them."""

    code = 2033


ERRORS = (UnavailablePreviewType, PageOfPreviewNotFound, UnavailablePreview, PreviewDimNotAllowed)
