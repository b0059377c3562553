"""Errors of search (spec: errors)."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class AdvancedSearchNotEnabled(KernelError):
    """The instance answers simple searches only (`search.engine`)."""

    code = 7001
    message = "Advanced search is not enabled."


class SearchEngineUnavailable(KernelError):
    """The search engine that was chosen does not answer, or has no index yet; the log says why."""

    code = 7002
    status = 503
    message = "The search engine does not answer."


ERRORS = (AdvancedSearchNotEnabled, SearchEngineUnavailable)
