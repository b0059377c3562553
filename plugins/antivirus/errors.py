"""Errors of antivirus."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class ScannerUnavailable(KernelError):
    """The virus scanner does not answer, and nothing is taken unseen; try again later."""

    code = 20161
    status = 503


ERRORS = (ScannerUnavailable,)
