"""Errors of search (spec: errors)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class AdvancedSearchNotEnabled(KernelError):
    """The instance answers simple searches only (`search.engine`)."""

    code = 7001
    message = "Advanced search is not enabled."


ERRORS = (AdvancedSearchNotEnabled,)
