"""Errors of calls."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class UserCallNotFound(KernelError):
    """The user made, or received, no such call."""

    code = 1025


class UserCallTransitionNotAllowed(KernelError):
    """The call is over, or this side of it may not set this state."""

    code = 2074


ERRORS = (UserCallNotFound, UserCallTransitionNotAllowed)
