"""Errors of reactions."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class ReactionNotFound(KernelError):
    """The content has no such reaction."""

    code = 1022


class InvalidReactionId(KernelError):
    """The reaction id in the path is no number."""

    code = 2025


class ReactionAlreadyExists(KernelError):
    """The user reacted to this content with this value already."""

    code = 3013


ERRORS = (ReactionNotFound, InvalidReactionId, ReactionAlreadyExists)
