"""Errors of search (spec: errors)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class AdvancedSearchNotEnabled(KernelError):
    """The instance answers simple searches only (`search.engine`)."""

    code = 7001

    def __init__(self, message: str = "Advanced search is not enabled") -> None:
        super().__init__(message)


class SearchEngineUnavailable(KernelError):
    """The search engine that was chosen does not answer, or has no index yet; the log says why."""

    code = 20120
    status = 503

    def __init__(self, message: str = "The search engine does not answer") -> None:
        super().__init__(message)


ERRORS = (AdvancedSearchNotEnabled, SearchEngineUnavailable)
