"""Refusals of live."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class MessageDoesNotExist(KernelError):
    """The user got no message of this event."""

    status = 400
    code = 1009
    message = "There is no message of this event for the user."


ERRORS = (MessageDoesNotExist,)
