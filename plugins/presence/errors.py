"""Refusals of presence."""

from __future__ import annotations

from atrio.kernel.errors import KernelError


class TooManyOnlineUsers(KernelError):
    """As many users are online as the instance allows; told in a stream, which then ends."""

    code = 8001

    def __init__(self, online: int = 0, allowed: int = 0) -> None:
        super().__init__(f"Too many users online ({online}/{allowed})")


ERRORS = (TooManyOnlineUsers,)
